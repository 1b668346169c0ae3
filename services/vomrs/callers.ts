/**
 * Who is calling: somebody with a certificate of the site (its operators may do everything), a person with a certificate or proxy of a
 * trusted authority, the holder of an identity provider's token, or nobody. The TLS layer believes nothing here: chains are validated by the
 * house's own rules, again every few seconds, so that a certificate that was revoked does not live on in an open connection.
 *
 * A limited proxy is a job's, an independent one has no rights of its person: neither is anybody here.
 */
import type { TLSSocket } from "node:tls";
import { type Certificate, GridRefused, readPemCertificates, type ValidPath } from "../../src/grid/index.ts";
import type { Client } from "../../src/world/index.ts";
import { type Call, type Peer, Refusal } from "../http/index.ts";
import type { Log, TlsFiles } from "../serving/index.ts";
import { Tokens } from "../tokens/index.ts";
import { chainOf, commonNameOf, siteUnitOf, type Trust } from "../trust/index.ts";

/** A name under its authority, or a token's subject under its issuer. */
export interface CallerIdentity {
  readonly kind: "certificate" | "token";
  readonly subject: string;
  readonly issuer: string;
}

export interface Caller {
  /** As it is recorded, and what tokens in forms are bound to. */
  readonly actor: string;
  /** What his certificate of the site's authority says. */
  readonly site: "operator" | "guest" | null;
  /** Who it is; `null` for nobody, and for the site's own guests. */
  readonly identity: CallerIdentity | null;
  /** A machine's certificate. */
  readonly host: boolean;
  /** Why what was shown counts for nothing. */
  readonly fault: string | null;
}

export const NOBODY: Caller = { actor: "", site: null, identity: null, host: false, fault: null };

interface Shown {
  /** DER, the caller's own first. */
  readonly chain: readonly Buffer[];
  caller: Caller;
  /** Milliseconds of the steady clock at which that was found. */
  at: number;
}

/**
 * Certificates of a chain that are looked at before anything was asked; milliseconds for which a finding is kept.
 * A long chain costs many signatures: that is paid for by the call that needs it, from the share of its address.
 */
const LIMITS = { atOnce: 3, kept: 5000 } as const;

export interface CallersOptions {
  readonly trust: Pick<Trust, "path">;
  readonly tls: TlsFiles;
  readonly issuers: readonly string[];
  /** What tokens must be made out to, beside those for anybody. */
  readonly audience: string;
  readonly log: Log;
}

export class Callers {
  readonly #trust: CallersOptions["trust"];
  readonly #own: readonly Certificate[];
  readonly #tokens: Tokens;
  readonly #log: Log;
  readonly #shown = new WeakMap<Peer, Shown>();

  constructor({ trust, tls, issuers, audience, log }: CallersOptions) {
    this.#trust = trust;
    this.#log = log;
    this.#own = readPemCertificates(tls.ca);
    this.#tokens = new Tokens({ issuers, audiences: [audience], tls, log: (event, about) => log(event, about) });
  }

  renew(tls: TlsFiles): void {
    this.#tokens.renew(tls);
  }

  /** For the server: who is counted as one community. Strangers are told apart by address, because names of theirs are only claimed. */
  readonly admit = (socket: TLSSocket, client: Client): Peer => {
    const chain = chainOf(socket);
    const later = chain.length > LIMITS.atOnce;
    const caller = later ? NOBODY : this.#judge(chain);
    const unit = caller.site ?? "other";
    const peer: Peer = { name: caller.actor || `visitors from ${client.address}`, unit };
    this.#shown.set(peer, { chain, caller, at: later ? Number.NEGATIVE_INFINITY : performance.now() });
    return peer;
  };

  /** @throws {Refusal} 401 for a token that is not good, 503 when that cannot be found out */
  async of({ peer, request }: Call): Promise<Caller> {
    const { authorization } = request.headers;
    if (authorization !== undefined) return this.#holder(authorization);
    const shown = this.#shown.get(peer);
    if (shown === undefined) return NOBODY;
    const now = performance.now();
    if (now - shown.at > LIMITS.kept) {
      shown.caller = this.#judge(shown.chain);
      shown.at = now;
    }
    return shown.caller;
  }

  /** @returns who a certificate is made out to, of a PEM text somebody sent. @throws {GridRefused} when it is not to be believed */
  read(pem: string): CallerIdentity {
    const path = this.#trust.path(pem);
    if (path.kind !== "none")
      throw new GridRefused("proxy-kind", "this is a proxy: give the certificate it was made with");
    return identityOf(path);
  }

  async #holder(authorization: string): Promise<Caller> {
    const token = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];
    if (token === undefined) throw new Refusal(401, "authorization: expected Bearer and a token");
    const { subject, issuer } = await this.#tokens.verify(token);
    return { ...NOBODY, actor: `${subject} of ${issuer}`, identity: { kind: "token", subject, issuer } };
  }

  #judge(chain: readonly Buffer[]): Caller {
    if (chain.length === 0) return NOBODY;
    let path: ValidPath;
    try {
      path = this.#trust.path(chain);
    } catch (error) {
      if (error instanceof GridRefused) return { ...NOBODY, fault: error.message };
      // This is also asked between handshake and first request, where nobody would catch it: one stranger's chain must not end the program.
      this.#log("defect", { says: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      return { ...NOBODY, fault: "it cannot be judged, by a defect in this program" };
    }
    if (path.rights !== "all") return { ...NOBODY, fault: "a limited proxy may not act for its person here" };
    const site = siteUnitOf(path, this.#own);
    if (site === "guest") return { ...NOBODY, actor: commonNameOf(path), site };
    const identity = identityOf(path);
    if (site === "operator") return { ...NOBODY, actor: commonNameOf(path), site, identity };
    const host = path.endEntity.extensions.alternativeNames?.some(({ form }) => form === "dns") ?? false;
    return { ...NOBODY, actor: identity.subject, identity, host };
  }
}

const identityOf = ({ endEntity }: ValidPath): CallerIdentity => ({
  kind: "certificate",
  subject: endEntity.subject.normal,
  issuer: endEntity.issuer.normal,
});
