/**
 * Debian's vomsd beside our own VOMS, on the same records: two MariaDB servers in circular replication, each of which keeps the tables that vomsd
 * reads. What is written through one reaches vomsd at the other; suspension, ban, unsigned rules and expiry reach its `certificate.suspended`.
 */
import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findProgram } from "../../services/mariadb/install.ts";
import { MariaRecords } from "../../services/records/mariadb.ts";
import { identityKey } from "../../services/vo/index.ts";
import { readVos } from "../../src/vo/index.ts";
import { type Actor, address, type Identity, SITE, Stage, until } from "../services/stage.ts";
import { called } from "../support/stock-clients.ts";
import { ALICE, missingClients, VO, VomsHouse } from "./voms-house.ts";
import { readProxyAcs, readProxyFqans } from "./voms-proxy.ts";
import { missingVomsd, Vomsd } from "./vomsd.ts";

const skip = findProgram(["mariadbd"]) === null ? "mariadbd is not installed" : missingVomsd() || missingClients();

const DAY = 86_400_000;
const PERSON = "a1";
const SETTING = [
  {
    name: VO,
    groups: ["/fermilab/nova", "/fermilab/minos"],
    roles: ["Production"],
    rules: { version: "1", every: "365 days", grace: "1 day", text: "Do no harm." },
  },
];
const ring = ["m1", "m2"].map((guest, index) => ({ guest, address: address(4 + index) }));
const accounts = [
  ...ring.map(({ guest }) => ({ guest, role: "member" })),
  { guest: "voms1", role: "voms" },
  { guest: "saz1", role: "saz" },
];
const PORT = 15_300 + (process.pid % 500);

describe("Debian's vomsd on our records", { skip }, () => {
  let stage: Stage;
  let house: VomsHouse;
  let operator: Identity;
  let vomsd: Vomsd;
  let servers: Actor[];
  let counter = 1;
  let invocations = 0;

  const records = async (account: "voms1" | "saz1"): Promise<MariaRecords> =>
    new MariaRecords({ alias: "mysql", ...ring[0]!, port: 3306, account, tls: await stage.identity(account) });
  const write = async (kind: string, key: string, action: string, value: object, reason = ""): Promise<void> => {
    const client = await records("voms1");
    const fields = { vo: VO, kind, name: key, action, value: JSON.stringify(value), reason, actor: "olga" };
    await client.append("vo", fields, counter++);
    await client.close();
  };
  const ban = async (action: "ban" | "unban"): Promise<void> => {
    const client = await records("saz1");
    await client.append("ban", { kind: "dn", value: ALICE, action, reason: "stolen", actor: "olga" }, counter++);
    await client.close();
  };
  const health = async (position: number): Promise<Record<string, unknown>> =>
    (await stage.call({ ...ring[position]!, port: 9306, name: ring[position]!.guest }, "/health", operator)).json;

  before(async () => {
    stage = await Stage.open();
    operator = await stage.identity("olga", "operator");
    house = await VomsHouse.open(stage);
    house.people.certify("alice", ALICE);
    const { vos } = readVos(SETTING);
    servers = await Promise.all(
      ring.map(({ guest, address: own }, position) =>
        stage.cast({
          name: guest,
          bundle: "mariadb",
          address: own,
          aliases: ["mysql"],
          files: {
            "etc/database.json": {
              site: SITE,
              port: 3306,
              healthPort: 9306,
              position,
              ring,
              accounts,
              vos,
              holder: "m2",
            },
          },
        }),
      ),
    );
    await Promise.all(ring.map((_, position) => until(async () => (await health(position)).writable === true)));
    const database = { kind: "mariadb", alias: "mysql", ...ring[0]!, port: 3306, servers: [] };
    await house.copy("voms1", 30, SETTING, { database });
    const issuer = "/DC=org/DC=fermigrid/CN=People CA";
    await write("person", PERSON, "set", { name: "Alice", email: "alice@example.org", institution: "", phone: "" });
    await write("application", PERSON, "approved", { until: Date.now() + 30 * DAY });
    await write("signature", `${PERSON} 1`, "sign", { at: Date.now() });
    await write("identity", identityKey("certificate", ALICE, issuer), "good", {
      person: PERSON,
      kind: "certificate",
      subject: ALICE,
      issuer,
    });
    for (const fqan of ["/fermilab/nova", "/fermilab/nova/Role=Production"])
      await write("place", `${PERSON} ${fqan}`, "granted", {});
    // At the other server of the ring: what was written at the first has to come round.
    vomsd = await Vomsd.start({
      directory: join(stage.directory, "vomsd"),
      port: PORT,
      host: "localhost",
      vo: VO,
      database: "voms_fermilab",
      socket: join(servers[1]!.data, "mariadb", "sock"),
      user: userInfo().username,
      tls: house.alias,
      certificates: house.people.certificates,
    });
  });
  after(async () => {
    await vomsd?.stop();
    await stage.close();
    called("vomsd", invocations);
    house?.tellCalls();
  });

  const asked = async (where: "ours" | "vomsd", role = true): ReturnType<VomsHouse["init"]> => {
    if (where === "vomsd") invocations++;
    house.tell(where === "ours" ? { host: address(30), port: 15001 } : { host: "localhost", port: PORT });
    return house.init("voms-proxy-init2", { voms: role ? `${VO}:/fermilab/nova/Role=Production` : VO });
  };
  /** Both say the same: a proxy with the same attributes, or no proxy for this reason. */
  const both = async (reason: RegExp | null): Promise<void> => {
    for (const where of ["ours", "vomsd"] as const)
      await until(async () => (await asked(where)).code === (reason === null ? 0 : 1));
    const [ours, theirs] = [await asked("ours"), await asked("vomsd")];
    if (reason === null) {
      assert.equal(theirs.code, 0, `${theirs.out}\n${vomsd.log().slice(-3000)}`);
      // Behind the primary one vomsd's order is whatever its sorting leaves.
      assert.deepEqual(new Set(readProxyFqans(theirs.proxy)), new Set(readProxyFqans(ours.proxy)));
      assert.equal(readProxyFqans(theirs.proxy)[0], readProxyFqans(ours.proxy)[0]);
      assert.equal(readProxyFqans(ours.proxy)[0], "/fermilab/nova/Role=Production/Capability=NULL");
    } else {
      assert.match(ours.out, reason);
      assert.match(vomsd.log(), reason);
    }
  };

  it("gives the same attributes as ours, the same one first", { timeout: 120_000 }, async () => {
    await both(null);
    const [ours, theirs] = [await asked("ours", false), await asked("vomsd", false)];
    assert.deepEqual(new Set(readProxyFqans(theirs.proxy)), new Set(readProxyFqans(ours.proxy)));
    assert.equal(readProxyAcs(theirs.proxy)[0]!.holder.serial, readProxyAcs(ours.proxy)[0]!.holder.serial);
  });

  const ENDS: readonly {
    readonly what: string;
    readonly reason: RegExp;
    readonly begin: () => Promise<void>;
    readonly end: () => Promise<void>;
  }[] = [
    {
      what: "a suspension",
      reason: /lost his key/,
      begin: () => write("suspension", PERSON, "suspend", {}, "lost his key"),
      end: () => write("suspension", PERSON, "resume", {}),
    },
    {
      what: "a ban of the site",
      reason: /banned from this site: stolen/,
      begin: () => ban("ban"),
      end: () => ban("unban"),
    },
    {
      what: "rules that are not signed",
      reason: /rules is not signed/,
      begin: () => write("signature", `${PERSON} 1`, "sign", { at: Date.now() - 400 * DAY }),
      end: () => write("signature", `${PERSON} 1`, "sign", { at: Date.now() }),
    },
    {
      what: "a membership that ends by itself",
      reason: /the membership ended/,
      begin: () => write("application", PERSON, "approved", { until: Date.now() + 1500 }),
      end: () => write("application", PERSON, "approved", { until: Date.now() + 30 * DAY }),
    },
  ];
  for (const { what, reason, begin, end } of ENDS)
    it(`obeys ${what}, and its end`, { timeout: 120_000 }, async () => {
      await begin();
      await both(reason);
      await end();
      await both(null);
    });

  it("finds nobody else under a number that was somebody's", { timeout: 60_000 }, async () => {
    const { number, again } = await numbersAfterRemoval(servers[1]!, write);
    assert.notEqual(number, again);
  });
});

/** Numbers of a person that is removed, and of the one who comes after. */
async function numbersAfterRemoval(
  server: Actor,
  write: (kind: string, key: string, action: string, value: object) => Promise<void>,
): Promise<{ readonly number: number; readonly again: number }> {
  const { createConnection } = await import("mysql2/promise");
  const connection = await createConnection({
    socketPath: join(server.data, "mariadb", "sock"),
    user: userInfo().username,
    database: "voms_fermilab",
  });
  const numberOf = async (subject: string): Promise<number | null> => {
    const [rows] = await connection.query("SELECT usr_id FROM certificate WHERE subject_string = ?", [subject]);
    return (rows as { usr_id: number }[])[0]?.usr_id ?? null;
  };
  const member = async (id: string, subject: string): Promise<number> => {
    const issuer = "/DC=org/CN=CA";
    const key = identityKey("certificate", subject, issuer);
    await write("application", id, "approved", {});
    await write("signature", `${id} 1`, "sign", { at: Date.now() });
    await write("identity", key, "good", { person: id, kind: "certificate", subject, issuer });
    await until(async () => (await numberOf(subject)) !== null);
    return (await numberOf(subject))!;
  };
  try {
    const number = await member("b1", "/DC=org/CN=Bob");
    await write("application", "b1", "removed", {});
    await until(async () => (await numberOf("/DC=org/CN=Bob")) === null);
    return { number, again: await member("c1", "/DC=org/CN=Carol") };
  } finally {
    connection.destroy();
  }
}
