/** Guest orders for tests that need a guest and do not care which. */

import type { GuestOrder } from "../../src/hypervisor/index.ts";
import type { GuestName, SiteName } from "../../src/model/index.ts";

const PROGRAM = 'echo "hello from $DOMUS_GUEST"; echo kept >> "$DOMUS_DATA/diary"; exec sleep 100000';

export function testOrder(name: string, change: Partial<GuestOrder> = {}): GuestOrder {
  return {
    site: "test" as SiteName,
    name: name as GuestName,
    uuid: "00000000-0000-5000-8000-000000000001",
    mac: "52:54:00:00:00:01",
    address: "127.0.0.1",
    bundle: null,
    files: [{ path: "etc/greeting", content: "hello" }],
    secretFiles: [{ path: "etc/tls/key.pem", content: "secret" }],
    peerKey: null,
    autostart: true,
    digest: `digest of ${name}`,
    definition: {
      kind: "appliance",
      image: null,
      packages: [],
      memory: 64 * 1024 ** 2,
      cpus: 1,
      disk: 0,
      data: "none",
      ipv6: false,
      program: { kind: "command", command: ["/bin/sh", "-c", PROGRAM] },
      environment: {},
      ports: {},
      probe: { kind: "running" },
      watchdog: false,
    },
    ...change,
  };
}
