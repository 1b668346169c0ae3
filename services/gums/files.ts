/**
 * Files for software that reads files, made from what GUMS decides by: the same octets on every copy that has seen the same events, each
 * under `/gums/files/NAME` with an entity tag. They are made when somebody asks and something has changed since, never for each decision.
 */
import { hash } from "node:crypto";
import {
  type Ban,
  FILE_FORMATS,
  type FileFormat,
  type FileRequest,
  type GumsPolicy,
  type ListedState,
  PEOPLE,
  type WrittenFile,
} from "../../src/policy/index.ts";
import { named } from "../deciding/index.ts";
import { type Answer, type Call, errorAnswer, type Handler, json } from "../http/index.ts";
import type { Follower, Merged, Pools } from "../records/index.ts";
import { normalHost } from "./questions.ts";
import type { MemberBook } from "./state.ts";

export interface FileParts {
  readonly policy: GumsPolicy;
  readonly accounts: Follower<Merged>;
  readonly members: Follower<MemberBook>;
  readonly bans: Follower<Merged>;
  readonly pools: Pick<Pools, "list">;
}

interface Made extends WrittenFile {
  /** SHA-256 of the text, hexadecimal. */
  readonly digest: string;
}

/** Files that are remembered: a site has few kinds of hosts. */
const REMEMBERED = 64;

export class Files {
  readonly #parts: FileParts;
  readonly #made = new Map<string, Made>();
  #listed: { readonly state: ListedState; readonly bans: readonly Ban[] } | null = null;

  constructor(parts: FileParts) {
    this.#parts = parts;
  }

  /** Something has changed in the database: what is made next has it. */
  forget(): void {
    this.#listed = null;
    this.#made.clear();
  }

  /** Everything files are made of, as it is now. */
  listed(): Pick<FileRequest, "policy" | "state" | "bans"> {
    this.#listed ??= this.#list();
    return { policy: this.#parts.policy, ...this.#listed };
  }

  make(format: FileFormat, host: string, issuer: string | null): Made {
    const key = JSON.stringify([format.name, host, issuer]);
    let made = this.#made.get(key);
    if (made === undefined) {
      const written = format.write({ ...this.listed(), host, issuer });
      made = { ...written, digest: hash("sha256", written.text) };
      if (this.#made.size >= REMEMBERED) this.#made.clear();
      this.#made.set(key, made);
    }
    return made;
  }

  #list(): { readonly state: ListedState; readonly bans: readonly Ban[] } {
    const { policy, accounts, members, bans, pools } = this.#parts;
    const names = new Set(policy.accountMappers.flatMap((one) => (one.kind === "pool" ? [one.pool] : [])));
    return {
      state: {
        memberships: members.merged.members().map(({ fields }) => ({
          group: fields.group ?? "",
          subject: fields.subject ?? "",
          fqan: fields.fqan || null,
        })),
        accounts: accounts.merged
          .events()
          .filter(({ fields }) => fields.action === "add")
          .map(({ fields }) => ({
            mapper: fields.mapper || PEOPLE,
            subject: fields.subject ?? "",
            account: fields.account ?? "",
            group: fields.groupname || null,
          })),
        pooled: [...names].flatMap((pool) =>
          pools
            .list(pool)
            .filter((entry) => entry.state === "in force")
            .map(({ subject, account }) => ({ pool, subject, account })),
        ),
      },
      bans: bans.merged
        .events()
        .filter(({ fields }) => fields.action === "ban")
        .map(({ fields }) => ({ kind: fields.kind as Ban["kind"], value: fields.value ?? "" })),
    };
  }
}

/** For whom the file is: the host that is named, else whoever asks. @throws {Refusal} 400 */
function hostOf({ query, peer }: Call): string {
  return named("host", () => normalHost(query.get("host") || peer.name));
}

/** Names of people stand in them: guests of the site and operators read them. */
function forTheSite(work: (call: Call) => Answer): Handler {
  return (call) =>
    call.peer.unit === "other" ? errorAnswer(403, "files are for guests of the site and operators") : work(call);
}

export function fileRoutes(files: Files): Readonly<Record<string, Handler>> {
  const list = forTheSite((call) => {
    const host = hostOf(call);
    const issuer = call.query.get("issuer") || null;
    return json(200, {
      result: "OK",
      host,
      files: FILE_FORMATS.map((format) => {
        const { digest, text, leftOut } = files.make(format, host, issuer);
        const { name, description } = format;
        return { name, description, sha256: digest, octets: Buffer.byteLength(text), leftOut };
      }),
    });
  });
  return {
    "GET /gums/json/files": list,
    ...Object.fromEntries(
      FILE_FORMATS.map((format) => [
        `GET /gums/files/${format.name}`,
        forTheSite((call) => {
          const { digest, text } = files.make(format, hostOf(call), call.query.get("issuer") || null);
          const etag = `"${digest}"`;
          const known = (call.request.headers["if-none-match"] ?? "").split(",").some((one) => one.trim() === etag);
          return known
            ? { status: 304, body: "", type: format.mediaType, etag }
            : { status: 200, body: text, type: format.mediaType, etag };
        }),
      ]),
    ),
  };
}
