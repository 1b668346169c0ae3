/** Two real mariadbd in circular replication and copies of GUMS beside them, as the tests of pool accounts use them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import type { Connection } from "mysql2/promise";
import { findProgram } from "../../services/mariadb/install.ts";
import { type Records, RecordsError } from "../../services/records/event.ts";
import { poolServers } from "../../services/records/index.ts";
import { MariaRecords } from "../../services/records/mariadb.ts";
import { identityOwner } from "../../services/records/pool-parts.ts";
import { type Given, Pools } from "../../services/records/pools.ts";
import type { Guest } from "../../services/serving/index.ts";
import type { DatabaseAccess } from "../../src/recipes/index.ts";
import { type Actor, address, type Identity, SITE, Stage, until } from "../services/stage.ts";

const missing = findProgram(["mariadbd"]) === null ? "mariadbd is not installed on this machine" : false;
export const options = { skip: missing, timeout: 60_000 };

export const ring = ["m1", "m2"].map((guest, position) => ({
  guest,
  address: address(14 + position),
  port: 3306,
  position,
}));
const access: DatabaseAccess = {
  kind: "mariadb",
  alias: "mysql",
  address: ring[0]!.address,
  port: 3306,
  servers: ring,
};
const accounts = [
  ...ring.map(({ guest }) => ({ guest, role: "member" })),
  { guest: "g1", role: "gums" },
  { guest: "g2", role: "gums" },
];
export let stage: Stage;
let operator: Identity;
let directory: string;
export const servers: Actor[] = [];
const open = new Set<Pools>();

export const cast = (position: number): Promise<Actor> =>
  stage.cast({
    name: ring[position]!.guest,
    bundle: "mariadb",
    address: ring[position]!.address,
    aliases: ["mysql"],
    files: {
      "etc/database.json": { site: SITE, port: 3306, healthPort: 9306, position, ring, accounts, holder: "m2" },
    },
  });
const health = async (position: number): Promise<Record<string, unknown>> =>
  (await stage.call({ ...ring[position]!, port: 9306, name: ring[position]!.guest }, "/health", operator)).json;
const settled = (position: number): Promise<void> =>
  until(async () => {
    const { state, writable, peers } = await health(position);
    return state === "ok" && writable === true && (peers as { connected: boolean }[]).every((peer) => peer.connected);
  });
export const bothSettled = (): Promise<unknown> => Promise.all([settled(0), settled(1)]);
/** What the alias does: the first that answers. */
async function alias(account: string): Promise<Records> {
  const tls = await stage.identity(account);
  const ends = ring.map(
    ({ address: at, port }) => new MariaRecords({ alias: "mysql", address: at, port, account, tls }),
  );
  return {
    append: (...event) => ends[0]!.append(...event),
    since: (...what) => ends[0]!.since(...what).catch(() => ends[1]!.since(...what)),
    renew: () => {},
    close: async () => void (await Promise.all(ends.map((end) => end.close()))),
  };
}
/** A copy of GUMS; `fresh` is one that remembers nothing. */
export async function copy(account: "g1" | "g2", fresh = false): Promise<Pools> {
  const tls = await stage.identity(account);
  const file = join(directory, `${account}.json`);
  if (fresh) rmSync(file, { force: true });
  const given = poolServers(access, { name: account } as Guest, tls);
  const pools = new Pools({ servers: given, records: await alias(account), file });
  open.add(pools);
  return pools;
}
const asRoot = async (position: number): Promise<Connection> => {
  const { createConnection } = await import("mysql2/promise");
  const { userInfo } = await import("node:os");
  const socketPath = join(servers[position]!.data, "mariadb", "sock");
  return createConnection({ socketPath, user: userInfo().username, multipleStatements: true });
};
export const sql = async (position: number, statement: string): Promise<unknown> => {
  const root = await asRoot(position);
  const [rows] = await root.query(statement).finally(() => root.end());
  return rows;
};
export const range = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, "0")}`);
let people = 0;
export const subjectOf = (pool: string, owner: number): string => {
  for (;;) {
    const subject = `/DC=org/CN=${pool} ${people++}`;
    if (identityOwner(pool, subject, 2) === owner) return subject;
  }
};
/** Waits until both servers have the same pool events, and both copies too. */
export const alike = async (copies: readonly Pools[], pool: string): Promise<void> => {
  const count = "SELECT COUNT(*) AS events, SUM(seq) AS seqs, SUM(counter) AS counters FROM domus.pool_event";
  await until(async () => JSON.stringify(await sql(0, count)) === JSON.stringify(await sql(1, count)));
  for (const pools of copies) await pools.poll();
  for (const pools of copies) {
    assert.equal(pools.fault, null);
    assert.deepEqual(pools.list(pool), copies[0]!.list(pool));
    assert.deepEqual(pools.conflicts(), []);
  }
};
/** Asks until it is answered: a caller may try again. */
export const insist = async (give: () => Promise<Given>): Promise<Given> => {
  for (;;)
    try {
      return await give();
    } catch (error) {
      if (!(error instanceof RecordsError) || error.code === "refused") throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
};

before(async () => {
  if (missing) return;
  stage = await Stage.open();
  directory = mkdtempSync(join(tmpdir(), "domus-pools-"));
  operator = await stage.identity("olga", "operator");
  servers.push(...(await Promise.all([cast(0), cast(1)])));
  await bothSettled();
});
afterEach(async () => {
  await Promise.all([...open].map((pools) => pools.close()));
  open.clear();
});
after(async () => {
  await stage?.close();
  if (directory) rmSync(directory, { recursive: true });
});
