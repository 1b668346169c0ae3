import type { DirectorConfig } from "../model/index.ts";
import type { Recipe } from "./recipe.ts";
export const lvs: Recipe = {
  name: "lvs",
  title: "tmp",
  defaults: { strategy: "active-standby", memory: 1024 ** 3, cpus: 1, disk: 0, port: null },
  settings: {},
  withoutNeeds: "answers",
  holders: (_d, c) => c,
  alias: () => null,
  embeddedRefusal: () => null,
  samples: [],
  render: (c) => {
    const peer = c.copies.find((one) => one.name !== c.seat.name);
    const config: DirectorConfig = {
      format: 1,
      guest: c.seat.name,
      address: c.seat.address,
      copy: c.seat.copy,
      peer: peer ? { guest: peer.name, address: peer.address, host: peer.host, secret: `peer-${peer.name}` } : null,
      ports: { heartbeat: 9400, status: 9401 },
      aliases: c.aliases,
    };
    return {
      definition: {
        image: null,
        packages: [],
        data: "none",
        program: { kind: "bundle", bundle: "director" },
        environment: {},
        ports: { heartbeat: 9400, status: 9401 },
        probe: { kind: "https", port: 9401, path: "/health", status: 200, contains: null },
        watchdog: true,
      },
      files: [{ path: "etc/director.json", content: JSON.stringify(config) }],
      secrets: peer ? [{ name: `peer-${peer.name}`, version: 1, kind: "token", subject: null }] : [],
    };
  },
};
