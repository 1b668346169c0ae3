/** The RPC client against Debian's libvirt daemon, with the hypervisor for tests that it has inside. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  CODES,
  ConnectionLost,
  LibvirtConnection,
  LibvirtError,
  type LifecycleEvent,
  PROCEDURES,
} from "../../src/hypervisor/libvirt/rpc/index.ts";
import { eventually } from "../support/eventually.ts";
import { Libvirtd, withoutLibvirt } from "../support/libvirtd.ts";

describe("Debian's libvirt daemon", { skip: withoutLibvirt, timeout: 300_000 }, () => {
  const daemon = new Libvirtd();
  let connection: LibvirtConnection;
  before(async () => {
    await daemon.start();
    connection = await LibvirtConnection.open(daemon.address("test:///default"));
  });
  after(() => daemon.destroy());

  it("says what it is, what it has and what runs", async () => {
    assert.equal(await connection.call(PROCEDURES.type, null), "TEST");
    const node = await connection.call(PROCEDURES.nodeInfo, null);
    assert.match(node.model.toString("latin1").replaceAll("\0", ""), /i686/);
    assert.deepEqual([node.cpus, node.memory], [16, 3_145_728]);
    const { domains } = await connection.call(PROCEDURES.domainsAll, { need: 1, flags: 0 });
    assert.deepEqual(
      domains.map(({ name, id }) => [name, id]),
      [["test", 1]],
    );
  });

  it("defines, starts, suspends, ends and forgets a domain, and tells of each", async () => {
    const seen: LifecycleEvent[] = [];
    const end = await connection.onLifecycle((event) => seen.push(event));
    const xml =
      "<domain type='test'><name>fg5x2</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>";
    const domain = await connection.call(PROCEDURES.domainDefine, xml);
    assert.equal(domain.id, -1);
    await connection.call(PROCEDURES.domainCreate, domain);
    const running = await connection.call(PROCEDURES.domainByName, "fg5x2");
    assert.ok(running.id > 0);
    await connection.call(PROCEDURES.domainSuspend, running);
    assert.equal((await connection.call(PROCEDURES.domainState, { domain: running, flags: 0 })).state, 3);
    await connection.call(PROCEDURES.domainResume, running);
    assert.match(await connection.call(PROCEDURES.domainXml, { domain: running, flags: 0 }), /<name>fg5x2<\/name>/);
    await connection.call(PROCEDURES.domainDestroy, running);
    await connection.call(PROCEDURES.domainUndefine, { domain: running, flags: 0 });
    await eventually("every event came", () => seen.length >= 6);
    // Defined, started, suspended, resumed, stopped, undefined: libvirt's numbers.
    assert.deepEqual(
      seen.map(({ domain: { name }, event }) => [name, event]),
      [0, 2, 3, 4, 5, 1].map((event) => ["fg5x2", event]),
    );
    end();
  });

  it("says no in its own words and numbers", async () => {
    const no = (code: number) => (error: unknown) => error instanceof LibvirtError && error.code === code;
    await assert.rejects(connection.call(PROCEDURES.domainByName, "nobody"), no(CODES.noDomain));
    await assert.rejects(connection.call(PROCEDURES.poolByName, "none"), no(CODES.noPool));
    const test = await connection.call(PROCEDURES.domainByName, "test");
    await assert.rejects(connection.call(PROCEDURES.domainCreate, test), /already running/);
    await assert.rejects(connection.call(PROCEDURES.domainDefine, "<domain>"), LibvirtError);
  });

  it("answers our asking whether it is there", async () => {
    const other = await LibvirtConnection.open(daemon.address("test:///default"), {
      keepAlive: { every: 50, misses: 1 },
    });
    // Many times what silence would end it after.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(other.lost, null);
    other.close();
  });

  it("refuses an address that it does not know, in a sentence", async () => {
    await assert.rejects(LibvirtConnection.open(daemon.address("vmware:///session")), LibvirtError);
  });

  it("is missed when it dies, and found again when it is back", async () => {
    const lost = new Promise<ConnectionLost>((resolve) => connection.onLost(resolve));
    await daemon.kill();
    assert.ok((await lost) instanceof ConnectionLost);
    await assert.rejects(LibvirtConnection.open(daemon.address("test:///default")), ConnectionLost);
    await daemon.start();
    const again = await LibvirtConnection.open(daemon.address("test:///default"));
    assert.equal(await again.call(PROCEDURES.type, null), "TEST");
    again.close();
  });
});
