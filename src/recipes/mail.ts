/** How a program sends e-mail: the `mail` setting. */
import { isRecord, onlyKeys } from "./surroundings.ts";

export interface MailRule {
  /** Name or address of the SMTP server. */
  readonly server: string;
  readonly port: number;
  /** `starttls` and `tls` demand encryption; `none` is for a server on the same machine or network. */
  readonly tls: "none" | "starttls" | "tls";
  /** Sender: an address. */
  readonly from: string;
  /** Address of the site's operators, who are told what nobody else can be told; `null`: nobody is. */
  readonly operators: string | null;
  /** File with the authority of the server's certificate; `null` is the system's. */
  readonly authority: string | null;
  readonly login: { readonly user: string; readonly passwordFile: string } | null;
}

export const MAIL_EXPECTED =
  "{ server: smtp.example.org, port: 587, tls: starttls, tls or none, from: vomrs@example.org, operators: grid@example.org, authority: file, user: name, password-file: file }";

const ADDRESS = /^[^\s@<>"\p{Cc}]{1,64}@[A-Za-z0-9.-]{1,253}$/u;
const PORTS = { none: 25, starttls: 587, tls: 465 } as const;

const isPath = (value: unknown): value is string => typeof value === "string" && /^\/[^\p{Cc}]{1,500}$/u.test(value);

/** @returns the rule; `null` when there is none, or it is not one */
export function readMail(value: unknown): MailRule | null {
  if (!isRecord(value)) return null;
  if (!onlyKeys(value, ["server", "port", "tls", "from", "operators", "authority", "user", "password-file"]))
    return null;
  const { server, from, operators = null, authority = null, user = null, "password-file": passwordFile = null } = value;
  const tls = value.tls ?? "starttls";
  if (tls !== "none" && tls !== "starttls" && tls !== "tls") return null;
  const port = value.port ?? PORTS[tls];
  if (typeof server !== "string" || !/^[A-Za-z0-9.:-]{1,253}$/.test(server)) return null;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535) return null;
  if (typeof from !== "string" || !ADDRESS.test(from)) return null;
  if (operators !== null && (typeof operators !== "string" || !ADDRESS.test(operators))) return null;
  if (authority !== null && !isPath(authority)) return null;
  if ((user === null) !== (passwordFile === null)) return null;
  if (user !== null && (typeof user !== "string" || user === "" || user.length > 255)) return null;
  if (passwordFile !== null && !isPath(passwordFile)) return null;
  // A password never goes over a line that anybody can read.
  if (user !== null && tls === "none") return null;
  const login = user === null ? null : { user, passwordFile: passwordFile as string };
  return { server, port, tls, from, operators, authority, login };
}
