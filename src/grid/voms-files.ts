/** The two little files of VOMS: `vomses` says where a VO's servers are, `.lsc` says by which names they sign. */
import { NameRefused, normalDn } from "./dn.ts";
import { GridRefused } from "./refused.ts";

/** One line of a `vomses` file. */
export interface VomsEndpoint {
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  /** Normal form of the server's name. */
  readonly dn: string;
  readonly vo: string;
}

/** Who may speak for a VO: `<vo>/<host>.lsc`. */
export interface VomsTrust {
  readonly vo: string;
  readonly host: string;
  /** Chains of normal forms, each from the server up, two names at least. */
  readonly chains: readonly (readonly string[])[];
}

const CHARACTERS = 1024 * 1024;

function refuse(line: number, column: number, message: string): never {
  throw new GridRefused("vomses-file", `${line}:${column}: ${message}`, { line, column });
}

function linesOf(text: string): readonly string[] {
  if (text.length > CHARACTERS) throw new GridRefused("limit", `a file of more than ${CHARACTERS} characters`);
  return text.split(/\r\n|\n/);
}

function nameAt(text: string, line: number, column: number): string {
  try {
    return normalDn(text);
  } catch (error) {
    if (error instanceof NameRefused) refuse(line, column, `not a name: ${error.message}`);
    throw error;
  }
}

/** Five fields in quotation marks; the C client's sixth and seventh (version, timeout) are passed over. */
const VOMSES = /^\s*"([^"]+)"\s+"([^"]+)"\s+"([0-9]{1,5})"\s+"([^"]+)"\s+"([^"]+)"(?:\s+"[^"]*"){0,2}\s*$/d;

/**
 * @param text lines `"alias" "host" "port" "host DN" "vo"`; empty lines and those that begin with # are passed over
 * @throws {GridRefused} `vomses-file` with line and column, `limit`
 */
export function parseVomses(text: string): readonly VomsEndpoint[] {
  const found: VomsEndpoint[] = [];
  for (const [index, content] of linesOf(text).entries()) {
    const line = index + 1;
    if (/^\s*(?:#|$)/.test(content)) continue;
    const match = VOMSES.exec(content);
    if (match === null) return refuse(line, 1, 'expected "alias" "host" "port" "host DN" "vo"');
    const [, alias, host, port, dn, vo] = match;
    if (Number(port) < 1 || Number(port) > 65535) refuse(line, match.indices![3]![0] + 1, `${port} is no port`);
    found.push({
      alias: alias!,
      host: host!,
      port: Number(port),
      dn: nameAt(dn!, line, match.indices![4]![0] + 1),
      vo: vo!,
    });
  }
  return found;
}

/**
 * @returns one line for each, with a newline at its end
 * @throws {GridRefused} `vomses-file` for what cannot be written in quotation marks
 */
export function formatVomses(endpoints: readonly VomsEndpoint[]): string {
  return endpoints
    .map(({ alias, host, port, dn, vo }, index) => {
      const fields = [alias, host, String(port), dn, vo];
      for (const field of fields)
        if (field === "" || /["\r\n]/.test(field)) refuse(index + 1, 1, `${JSON.stringify(field)} cannot be written`);
      return `${fields.map((field) => `"${field}"`).join(" ")}\n`;
    })
    .join("");
}

const NEXT = /^-+ ?NEXT CHAIN ?-+$/;

/**
 * @param vo the directory the file is in
 * @param host the file's name without `.lsc`
 * @param text names from the server up, one in each line, in quotation marks or not; `------ NEXT CHAIN ------` between chains
 * @throws {GridRefused} `vomses-file` with line and column, also for a chain without the authority's name; `limit`
 */
export function parseLsc(vo: string, host: string, text: string): VomsTrust {
  const chains: string[][] = [[]];
  const lines = linesOf(text);
  for (const [index, content] of lines.entries()) {
    const trimmed = content.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    if (NEXT.test(trimmed)) {
      if (chains.at(-1)!.length < 2) refuse(index + 1, 1, "a chain has the server's name and its authority's");
      chains.push([]);
      continue;
    }
    const quoted = /^"(.*)"$/.exec(trimmed);
    chains.at(-1)!.push(nameAt(quoted ? quoted[1]! : trimmed, index + 1, content.indexOf(trimmed) + 1));
  }
  if (chains.at(-1)!.length < 2)
    refuse(lines.length, 1, "a chain has the server's name in one line and its authority's in the next");
  return { vo, host, chains };
}

/** @returns the text of the `.lsc` file */
export function formatLsc(trust: VomsTrust): string {
  return trust.chains.map((names) => names.map((name) => `${name}\n`).join("")).join("------ NEXT CHAIN ------\n");
}
