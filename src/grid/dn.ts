/**
 * Distinguished names as grid software writes them. One normal form, OpenSSL's one line (`/DC=org/OU=People/CN=Alice Example`), is what
 * policies, bans and audit records are keyed by; RFC 2253 text (`CN=Alice Example,OU=People,DC=org`) comes from XACML clients.
 *
 * The one-line form cannot say where a value ends when the value itself contains `/TYPE=`. Such a name could be read as somebody else's,
 * so it is refused on the way in instead of guessed at. Multi-valued RDNs are refused for the same reason. Letter case of values is
 * kept: an authority issues exact names, and folding case could only merge two people into one.
 */

/** One relative distinguished name, type in its usual spelling. */
export interface Rdn {
  readonly type: string;
  readonly value: string;
}

/** Why a text is not a name; `message` says which part and what was expected. */
export class NameRefused extends Error {
  override readonly name = "NameRefused";
}

/** Longest name accepted, in characters of the normal form: robots have long names, nobody has this one. */
export const DN_LIMIT = 1024;

/** Spellings of attribute types that mean the same, lower case → the one OpenSSL prints. */
const TYPES: Readonly<Record<string, string>> = {
  c: "C",
  cn: "CN",
  dc: "DC",
  domaincomponent: "DC",
  e: "emailAddress",
  email: "emailAddress",
  emailaddress: "emailAddress",
  "1.2.840.113549.1.9.1": "emailAddress",
  l: "L",
  o: "O",
  ou: "OU",
  s: "ST",
  sn: "SN",
  st: "ST",
  stateorprovincename: "ST",
  uid: "UID",
  userid: "UID",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  serialnumber: "serialNumber",
};

const TYPE_PATTERN = "(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\\.[0-9]+)+)";
const BOUNDARY = new RegExp(`/(?=${TYPE_PATTERN}=)`);
const ASSIGNMENT = new RegExp(`^\\s*(${TYPE_PATTERN})\\s*=`);

function canonicalType(type: string): string {
  const known = TYPES[type.toLowerCase()];
  return known ?? type;
}

/** OpenSSL prints octets outside printable ASCII as `\xHH`; the octets are UTF-8. */
function escapeOctets(value: string): string {
  if (/^[\x20-\x5b\x5d-\x7e]*$/.test(value)) return value;
  let text = "";
  for (const octet of Buffer.from(value, "utf8"))
    text +=
      octet >= 0x20 && octet <= 0x7e && octet !== 0x5c
        ? String.fromCharCode(octet)
        : `\\x${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  return text;
}

function unescapeOctets(value: string): string {
  if (!/\\x[0-9A-Fa-f]{2}/.test(value)) return value;
  const octets: Buffer[] = [];
  for (const part of value.split(/(\\x[0-9A-Fa-f]{2})/))
    octets.push(/^\\x[0-9A-Fa-f]{2}$/.test(part) ? octetOf(part) : Buffer.from(part, "utf8"));
  return decodeUtf8(Buffer.concat(octets));
}

/** OpenSSL writes no printable character so: `\x41lice` is a value that has a backslash in it, and is not Alice. */
function octetOf(escaped: string): Buffer {
  const octet = Buffer.from(escaped.slice(2), "hex");
  if (octet[0]! >= 0x20 && octet[0]! <= 0x7e && octet[0] !== 0x5c)
    throw new NameRefused(`${escaped} could be four characters or one: expected the character itself`);
  return octet;
}

function decodeUtf8(octets: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    throw new NameRefused("a value is not UTF-8");
  }
}

function checked(type: string, value: string): Rdn {
  if (value === "") throw new NameRefused(`${type} has no value`);
  if (BOUNDARY.test(value))
    throw new NameRefused(
      `the value of ${type} contains "/TYPE=", which the one-line form cannot tell from another part`,
    );
  return { type: canonicalType(type), value };
}

/**
 * Reads OpenSSL's one line. A slash starts a part only before `TYPE=`, so `/CN=host/fg5x2.example.org` is one part.
 * @throws {NameRefused} for anything that is not such a name
 */
export function parseOneline(text: string): readonly Rdn[] {
  if (text.length > DN_LIMIT) throw new NameRefused(`a name has at most ${DN_LIMIT} characters`);
  if (!text.startsWith("/")) throw new NameRefused('a name starts with "/", as in /DC=org/CN=Alice');
  const parts = text.split(BOUNDARY);
  if (parts[0] !== "") throw new NameRefused('expected TYPE=value after "/"');
  return parts.slice(1).map((part) => {
    const equals = part.indexOf("=");
    return checked(part.slice(0, equals), unescapeOctets(part.slice(equals + 1)));
  });
}

/** @returns OpenSSL's one line: the normal form. */
export function formatOneline(name: readonly Rdn[]): string {
  return name.map((rdn) => `/${rdn.type}=${escapeOctets(rdn.value)}`).join("");
}

/**
 * Checks parts that were read elsewhere (a certificate), as the text forms would be checked.
 * @param parts most significant first; values may hold any characters
 * @throws {NameRefused} for a name without parts, an empty value, or one that the one-line form cannot carry
 */
export function nameOfParts(parts: readonly Rdn[]): readonly Rdn[] {
  if (parts.length === 0) throw new NameRefused("a name without parts");
  return parts.map(({ type, value }) => checked(type, value));
}

/** Cuts RFC 2253 text at commas (or semicolons, RFC 1779) that are neither escaped nor quoted. */
function cutRfc2253(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === "," || character === ";")) {
      parts.push(text.slice(from, at));
      from = at + 1;
    } else if (!quoted && character === "+") throw new NameRefused("a part with several values (+) is not supported");
  }
  if (quoted) throw new NameRefused("a quotation mark is not closed");
  parts.push(text.slice(from));
  return parts;
}

/** Undoes RFC 2253 escapes: `\,` and the like, `\C3\B6` octets, quotes; blanks around the value go unless escaped. */
function unescapeValue(raw: string): string {
  const quoted = /^\s*"(.*)"\s*$/s.exec(raw);
  const text = quoted ? quoted[1]! : raw;
  const octets: Buffer[] = [];
  let kept = 0;
  let length = 0;
  const push = (octet: Buffer, keep: boolean): void => {
    octets.push(octet);
    length += octet.length;
    if (keep) kept = length;
  };
  const body = quoted ? text : text.replace(/^\s+/, "");
  for (let at = 0; at < body.length; at++) {
    const character = body[at]!;
    if (character !== "\\") {
      const point = String.fromCodePoint(body.codePointAt(at)!);
      at += point.length - 1;
      push(Buffer.from(point, "utf8"), quoted !== null || !/\s/.test(point));
      continue;
    }
    const pair = body.slice(at + 1, at + 3);
    if (/^[0-9A-Fa-f]{2}$/.test(pair)) {
      push(Buffer.from(pair, "hex"), true);
      at += 2;
    } else {
      const next = body.codePointAt(at + 1);
      if (next === undefined) throw new NameRefused("a backslash at the end");
      const point = String.fromCodePoint(next);
      push(Buffer.from(point, "utf8"), true);
      at += point.length;
    }
  }
  return decodeUtf8(Buffer.concat(octets).subarray(0, kept));
}

/**
 * Reads RFC 2253 text, with or without blanks after commas.
 * @returns parts in the order of the one-line form (most significant first)
 * @throws {NameRefused}
 */
export function parseRfc2253(text: string): readonly Rdn[] {
  if (text.length > DN_LIMIT) throw new NameRefused(`a name has at most ${DN_LIMIT} characters`);
  return cutRfc2253(text)
    .map((part) => {
      const match = ASSIGNMENT.exec(part);
      if (!match) throw new NameRefused(`expected TYPE=value, found "${part.trim().slice(0, 40)}"`);
      const raw = part.slice(match[0].length);
      if (/^\s*#/.test(raw)) throw new NameRefused("values in hexadecimal BER (#…) are not supported");
      return checked(match[1]!, unescapeValue(raw));
    })
    .reverse();
}

/** @returns RFC 2253 text, least significant part first. */
export function formatRfc2253(name: readonly Rdn[]): string {
  return name
    .map(({ type, value }) => {
      const escaped = value
        .replace(/[,+"\\<>;]/g, "\\$&")
        .replace(/^#/, "\\$&")
        .replace(/^ /, "\\20")
        .replace(/[^\x20-\x7e]/gu, (character) =>
          [...Buffer.from(character, "utf8")].map((octet) => `\\${octet.toString(16).padStart(2, "0")}`).join(""),
        )
        .replace(/ $/, "\\20");
      return `${type}=${escaped}`;
    })
    .reverse()
    .join(",");
}

/**
 * Any of the two spellings → the normal form.
 * @throws {NameRefused}
 */
export function normalDn(text: string): string {
  const trimmed = text.trimStart();
  if (trimmed === "") throw new NameRefused("expected a name such as /DC=org/CN=Alice");
  const normal = formatOneline(trimmed.startsWith("/") ? parseOneline(trimmed) : parseRfc2253(trimmed));
  if (normal.length > DN_LIMIT) throw new NameRefused(`a name has at most ${DN_LIMIT} characters`);
  return normal;
}

const PROXY_SUFFIX = /\/CN=(?:proxy|limited proxy|[0-9]+)$/;

/**
 * The name itself, and each name it may be a proxy of (RFC 3820 and legacy proxies append a CN). A ban of any of these is a ban of it;
 * a mapping must never be widened this way.
 * @param normal a name in normal form
 */
export function withProxyParents(normal: string): readonly string[] {
  const names = [normal];
  for (let name = normal; PROXY_SUFFIX.test(name); ) {
    name = name.replace(PROXY_SUFFIX, "");
    if (name !== "") names.push(name);
  }
  return names;
}

/** @returns what `read` returns, or `null` when the name is refused */
export function nameOrNull<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof NameRefused) return null;
    throw error;
  }
}
