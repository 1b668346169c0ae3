/**
 * VOMS and VOMRS in one guest: each a process of its own. The second is started again when it ends, and does not take the first down; where the first one
 * goes, however, the second goes too.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { issueCertificate } from "../../src/pki/index.ts";
import { listProcesses, readProcess } from "../../src/world/index.ts";
import { type Actor, address, type Identity, Stage, until } from "./stage.ts";

const PORTS = { voms: 15001, vomrs: 8443 } as const;

describe("two programs in one guest", { timeout: 120_000 }, () => {
  let stage: Stage;
  let operator: Identity;
  let guest: Actor;

  before(async () => {
    stage = await Stage.open();
    operator = await stage.identity("olga", "operator");
    await stage.castDatabase([{ guest: "v1", role: "voms" }]);
    const subject = { commonName: "voms", unit: "guest", dns: ["voms", "v1"], ip: [address(30)] } as const;
    const alias = await issueCertificate(stage.authority, subject, Date.now(), "rsa");
    const shared = {
      directors: [],
      database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306, servers: [] },
      stale: { after: 600, decides: "go-on" },
      vos: [],
      authorities: `${stage.directory}/none`,
      refresh: 60,
      voms: { host: "voms", port: PORTS.voms },
    };
    guest = await stage.cast({
      name: "v1",
      bundle: "voms",
      address: address(30),
      aliases: ["vomrs"],
      files: {
        "etc/voms.json": {
          ...shared,
          port: PORTS.voms,
          audit: { keep: 86_400, space: 2 ** 24 },
          holderForm: "subject",
          registration: true,
        },
        "etc/vomrs.json": {
          ...shared,
          port: PORTS.vomrs,
          url: "https://vomrs:8443",
          mail: null,
          copies: ["v1"],
          key: "vomrs-voms",
        },
        "etc/secrets/vomrs-voms": "ab".repeat(32),
        "etc/voms-tls/ca.pem": stage.authority.certificate,
        "etc/voms-tls/cert.pem": alias.certificate,
        "etc/voms-tls/key.pem": alias.key,
      },
    });
  });
  after(() => stage?.close());

  const well = async (which: keyof typeof PORTS): Promise<boolean> => {
    const where = { address: address(30), port: PORTS[which], name: which };
    try {
      return (await stage.call(where, "/health", operator)).status === 200;
    } catch {
      return false;
    }
  };
  const second = (): number | null => listProcesses().find(({ parent }) => parent === guest.process.pid)?.pid ?? null;

  it("both answer", async () => {
    assert.ok(await well("voms"));
    await until(() => well("vomrs"));
    assert.notEqual(second(), null);
  });

  it("the second is back after it was killed, and the first never stopped", async () => {
    const before = second()!;
    process.kill(before, "SIGKILL");
    let lost = 0;
    await until(async () => {
      if (!(await well("voms"))) lost++;
      return second() !== null && second() !== before && (await well("vomrs"));
    });
    assert.equal(lost, 0);
    const [ended] = guest.lines.filter((line) => line.includes('"ended beside"'));
    assert.match(ended!, /"program":"vomrs","how":"SIGKILL"/);
  });

  it("ends with the first, also when that one is killed", async () => {
    const child = second()!;
    process.kill(guest.process.pid!, "SIGKILL");
    await guest.ended;
    await until(async () => readProcess(child) === null || readProcess(child)?.state === "Z");
  });
});
