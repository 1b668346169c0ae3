/**
 * Programs of others that the real tests let speak to ours, by the Debian package that has them. Each test file says how often it called which; a run of
 * all real tests prints them with their versions, and fails when one of them was never called: a client that stopped being tested is noticed.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";

export const STOCK_CLIENTS = {
  "voms-proxy-init2": "voms-clients",
  "voms-proxy-init3": "voms-clients-java",
  "voms-proxy-fake": "voms-clients",
  "voms-proxy-info2": "voms-clients",
  vomsd: "voms-server",
  "ARC arguspdpclient": "nordugrid-arc-hed",
  arcproxy: "nordugrid-arc-client",
  nordugridmap: "nordugrid-arc-nordugridmap",
  "scitokens-verify": "scitokens-cpp",
} as const satisfies Record<string, string>;
export type StockClient = keyof typeof STOCK_CLIENTS;

/** The file that a run gathers the counts in; without a run there is none. */
export const CENSUS_VARIABLE = "DOMUS_TEST_CLIENTS";

/** Says how often a client was called. */
export function called(client: StockClient, calls: number): void {
  console.log(`# ${client} ${versionOf(STOCK_CLIENTS[client])}: ${calls} calls`);
  const file = process.env[CENSUS_VARIABLE];
  // One short line in one writing: files of several tests do not mix.
  if (file) appendFileSync(file, `${JSON.stringify({ client, calls })}\n`);
}

/** Version of a Debian package; `-` when it is not installed. */
export function versionOf(name: string): string {
  const { stdout } = spawnSync("dpkg-query", ["--status", name], { encoding: "utf8" });
  return /^Version: (.*)$/m.exec(stdout ?? "")?.[1] ?? "-";
}

export interface Census {
  readonly lines: readonly string[];
  /** Clients that nobody called. */
  readonly uncalled: readonly string[];
}

/** @returns what a run has gathered, a line for each client */
export function census(file: string): Census {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const counts = new Map<string, number>();
  for (const line of text.split("\n").filter(Boolean)) {
    const { client, calls } = JSON.parse(line) as { client: string; calls: number };
    counts.set(client, (counts.get(client) ?? 0) + calls);
  }
  const all = Object.entries(STOCK_CLIENTS);
  const width = Math.max(...all.map(([client]) => client.length));
  return {
    lines: all.map(
      ([client, name]) => `  ${client.padEnd(width)}  ${name} ${versionOf(name)}: ${counts.get(client) ?? 0} calls`,
    ),
    uncalled: all.map(([client]) => client).filter((client) => !counts.get(client)),
  };
}
