/**
 * The head of an HTTP/1.1 request (RFC 9112), read strictly: what two readers could understand differently is refused, because between
 * a front end and a server such a difference is a way to smuggle requests. No folded lines, no bare CR or LF, no blank before a colon,
 * no length twice, no length together with chunks. Pure.
 */
import { TARGET_LIMIT } from "./limits.ts";

/** Octets of a head, and fields in it. */
export const HEAD_LIMITS = { octets: 16 * 1024, fields: 64 } as const;

/** Why the octets are no request, with the status that is answered before the connection is closed. */
export class HttpFault {
  readonly status: number;
  readonly says: string;
  constructor(status: number, says: string) {
    this.status = status;
    this.says = says;
  }
}

export type Headers = Readonly<Record<string, string>>;

/** What the fields of a head mean for the message around them. */
export interface Fields {
  readonly headers: Headers;
  /** Octets of the body; -1: in chunks. */
  readonly length: number;
  /** The client waits for a word before it sends the body. */
  readonly expects: boolean;
  /** Words of the field Connection. */
  readonly close: boolean;
  readonly keepAlive: boolean;
}

export interface RequestLine {
  readonly method: string;
  /** Path and query as sent; of an absolute address only these. */
  readonly target: string;
  /** Minor version of HTTP/1. */
  readonly minor: 0 | 1;
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible characters; a fragment is not sent. */
const TARGET = /^[!"$-~]+$/;
const ABSOLUTE = /^https?:\/\/[A-Za-z0-9.\-_~:[\]]+(?=[/?]|$)/i;
/** Visible, blank, tab, and octets above ASCII. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** @param line without its line end, one character an octet */
export function readRequestLine(line: string): RequestLine | HttpFault {
  const first = line.indexOf(" ");
  const last = line.lastIndexOf(" ");
  const version = line.slice(last + 1);
  if (first <= 0 || last <= first || !/^HTTP\/[0-9]\.[0-9]$/.test(version))
    return new HttpFault(400, "the first line is not METHOD /path HTTP/1.1");
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0")
    return new HttpFault(505, `${version} is not spoken here: HTTP/1.1`);
  const method = line.slice(0, first);
  if (!METHODS.has(method))
    return TOKEN.test(method) ? new HttpFault(501, "this method is not known here") : new HttpFault(400, "no method");
  const target = line.slice(first + 1, last);
  if (!TARGET.test(target)) return new HttpFault(400, "the address has characters that an address cannot have");
  const path = pathOf(target, method);
  if (path === null) return new HttpFault(400, "the address is neither /path nor https://host/path");
  if (path.length > TARGET_LIMIT) return new HttpFault(414, `an address has at most ${TARGET_LIMIT} characters`);
  return { method, target: path, minor: version === "HTTP/1.1" ? 1 : 0 };
}

/** RFC 9112 3.2: origin form, absolute form, and `*` of OPTIONS. */
function pathOf(target: string, method: string): string | null {
  if (target.startsWith("/")) return target;
  if (target === "*") return method === "OPTIONS" ? target : null;
  const authority = ABSOLUTE.exec(target);
  if (authority === null) return null;
  const rest = target.slice(authority[0].length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/**
 * @param block lines after the first, each with its CR LF, without the empty one; one character an octet
 * @param minor version of the request line
 * @param bodyLimit octets of one body
 */
export function readFields(block: string, minor: 0 | 1, bodyLimit: number): Fields | HttpFault {
  const headers: Record<string, string> = Object.create(null);
  const lines = block === "" ? [] : block.slice(0, -2).split("\r\n");
  if (lines.length > HEAD_LIMITS.fields)
    return new HttpFault(431, `a request has at most ${HEAD_LIMITS.fields} fields`);
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    // A line that begins with a blank continues the one before it in old software: its name is no token, so it ends here.
    if (!TOKEN.test(name)) return new HttpFault(400, "a header field is not name: value");
    const value = trim(line.slice(colon + 1));
    if (!VALUE.test(value)) return new HttpFault(400, `the field ${name} has characters that a field cannot have`);
    const known = headers[name];
    if (known !== undefined && ONCE.has(name)) return new HttpFault(400, `the field ${name} is given twice`);
    headers[name] = known === undefined ? value : `${known}, ${value}`;
  }
  return meaningOf(headers, minor, bodyLimit);
}

/** Fields of which a second one would be somebody else's meaning. */
const ONCE: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "content-type",
  "authorization",
  "expect",
]);

function trim(value: string): string {
  return value.replace(/^[\t ]+|[\t ]+$/g, "");
}

function meaningOf(headers: Headers, minor: 0 | 1, bodyLimit: number): Fields | HttpFault {
  const { host, expect } = headers;
  const length = headers["content-length"];
  const coding = headers["transfer-encoding"];
  if (host === undefined && minor === 1) return new HttpFault(400, "the field host is missing");
  if (host !== undefined && !/^[A-Za-z0-9.\-_~:[\]]*$/.test(host)) return new HttpFault(400, "host: expected a name");
  if (coding !== undefined) {
    if (length !== undefined) return new HttpFault(400, "a length and chunks at once: expected one of them");
    if (minor === 0 || coding.toLowerCase() !== "chunked")
      return new HttpFault(400, "transfer-encoding: expected chunked, in HTTP/1.1");
  }
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length))
    return new HttpFault(400, "content-length: expected a number of octets");
  if (Number(length ?? 0) > bodyLimit) return new HttpFault(413, `a body has at most ${bodyLimit} octets`);
  const expects = expect !== undefined && minor === 1;
  if (expects && expect.toLowerCase() !== "100-continue") return new HttpFault(417, "expect: expected 100-continue");
  const words = (headers.connection ?? "").toLowerCase().split(",").map(trim);
  return {
    headers,
    length: coding === undefined ? Number(length ?? 0) : -1,
    expects,
    close: words.includes("close"),
    keepAlive: words.includes("keep-alive"),
  };
}
