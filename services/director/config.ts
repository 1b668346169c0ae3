/**
 * What a director needs to know, read once at the start and again on SIGHUP: `etc/director.json`, its certificate, its token.
 * Every mistake is named with its place in the file; a director that cannot read its configuration does not start.
 */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { type BlueprintAlias, type DirectorConfig, NAME_PATTERN } from "../../src/model/index.ts";
import type { TlsIdentity } from "../../src/world/index.ts";

/** What a guest may count on in its environment. */
export interface GuestEnvironment {
  readonly guest: string;
  readonly address: string;
  readonly root: string;
  readonly data: string;
  readonly peers: string;
}

export class ConfigProblem extends Error {
  override readonly name = "ConfigProblem";
}

/** @throws ConfigProblem naming every variable that is missing */
export function readEnvironment(environment: NodeJS.ProcessEnv): GuestEnvironment {
  const names = ["DOMUS_GUEST", "DOMUS_ADDRESS", "DOMUS_ROOT", "DOMUS_DATA", "DOMUS_PEERS"] as const;
  const missing = names.filter((name) => !environment[name]);
  if (missing.length > 0) throw new ConfigProblem(`not set in the environment: ${missing.join(", ")}`);
  const [guest, address, root, data, peers] = names.map((name) => environment[name]!) as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { guest, address, root, data, peers };
}

type Check = (value: unknown) => string | null;
const says =
  (expected: string, accepts: (value: unknown) => boolean): Check =>
  (value) =>
    accepts(value) ? null : `expected ${expected}, found ${JSON.stringify(value) ?? "nothing"}`;
const name = says("a name", (value) => typeof value === "string" && NAME_PATTERN.test(value));
const address = says("an IP address", (value) => typeof value === "string" && isIP(value) !== 0);
const port = says("a port", (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65536);
const count = says("a whole number", (value) => Number.isSafeInteger(value) && Number(value) >= 0);
const flag = says("true or false", (value) => typeof value === "boolean");
const oneOf = (...words: readonly string[]) => says(words.join(" or "), (value) => words.includes(value as string));

/** Members by path; `*` stands for each element of a list. A list or object that is itself missing is named first. */
const SHAPE: readonly (readonly [path: string, check: Check])[] = [
  ["format", says("1", (value) => value === 1)],
  ["guest", name],
  ["address", address],
  ["copy", count],
  ["peer", says("an object or null", (value) => typeof value === "object")],
  ["ports.heartbeat", port],
  ["ports.status", port],
  ["aliases", says("a list", Array.isArray)],
  ["aliases.*.name", name],
  ["aliases.*.address", address],
  ["aliases.*.port", port],
  ["aliases.*.scheduler", oneOf("least-connections", "round-robin")],
  ["aliases.*.persistence", count],
  ["aliases.*.connections", count],
  ["aliases.*.connectionsPerCopy", count],
  ["aliases.*.distribution", oneOf("all", "one-writer")],
  ["aliases.*.proxyProtocol", flag],
  ["aliases.*.backends", says("a list", Array.isArray)],
  ["aliases.*.backends.*.guest", name],
  ["aliases.*.backends.*.address", address],
  ["aliases.*.backends.*.port", port],
  ["aliases.*.backends.*.check.kind", oneOf("tcp", "http", "https", "running")],
];
const PEER_SHAPE: typeof SHAPE = [
  ["peer.guest", name],
  ["peer.address", address],
  ["peer.host", name],
  ["peer.secret", name],
];

function* problems(value: unknown, path: readonly string[], check: Check, at = ""): Generator<string> {
  const [head, ...rest] = path;
  if (head === undefined) {
    const problem = check(value);
    if (problem !== null) yield `${at}: ${problem}`;
  } else if (head === "*") {
    if (Array.isArray(value))
      for (const [index, element] of value.entries()) yield* problems(element, rest, check, `${at}[${index}]`);
  } else {
    const member = value !== null && typeof value === "object" ? (value as Record<string, unknown>)[head] : undefined;
    yield* problems(member, rest, check, at === "" ? head : `${at}.${head}`);
  }
}

/** @throws ConfigProblem with one line for each mistake */
export function parseConfig(text: string, file: string): DirectorConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigProblem(`${file}: ${(error as Error).message}`);
  }
  const hasPeer = (value as { peer?: unknown } | null)?.peer != null;
  const found = [...SHAPE, ...(hasPeer ? PEER_SHAPE : [])].flatMap(([path, check]) => [
    ...problems(value, path.split("."), check),
  ]);
  if (found.length > 0) throw new ConfigProblem(found.map((line) => `${file}: ${line}`).join("\n"));
  const config = value as DirectorConfig;
  const places = new Map<string, string>();
  for (const alias of config.aliases) {
    const place = endpointOf(alias);
    const other = places.get(place);
    if (other !== undefined)
      throw new ConfigProblem(`${file}: aliases ${other} and ${alias.name} are both at ${place}`);
    places.set(place, alias.name);
  }
  return config;
}

/** @returns `address:port`, by which aliases are told apart */
export function endpointOf(alias: Pick<BlueprintAlias, "address" | "port">): string {
  return `${alias.address}:${alias.port}`;
}

/** @throws ConfigProblem when a file is missing or is no key or certificate */
export function readIdentity(root: string): TlsIdentity {
  const pem = (part: string) => readText(join(root, "etc", "tls", `${part}.pem`));
  const [ca, cert, key] = [pem("ca"), pem("cert"), pem("key")];
  try {
    return { ca, cert, key, context: createSecureContext({ ca, cert, key }) };
  } catch (error) {
    throw new ConfigProblem(`etc/tls: not a usable key and certificate (${(error as Error).message})`);
  }
}

/** @throws ConfigProblem naming the file and the reason */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigProblem(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
