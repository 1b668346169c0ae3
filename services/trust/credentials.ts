/**
 * Proxies that are brought to a service whole, and checked by it: RFC 3820 down from the authorities that are believed, and what VOs say in the
 * attribute certificates. Who brings one needs no word of his own: nothing of what he says is believed but what others have signed.
 *
 * That he may use it is another matter, and not proved here: certificates are public. Whoever asks with a chain has seen its holder prove the key in
 * a TLS handshake, or asks what would be; an answer gives nobody anything.
 *
 * A limited proxy is the person's, as in LCMAPS (`verify_proxy` without `--disallow-limited-proxy`) and GridFTP: jobs come to storage with one. The
 * Globus gatekeeper refuses to start jobs with it; a site whose clients are gatekeepers alone says `limited-proxies: refuse`. An independent proxy
 * has none of its issuer's rights (RFC 3820 3.8.2) and is nobody's.
 */
import { formatFqan, GridRefused, type Membership, parseFqan, type ValidPath } from "../../src/grid/index.ts";
import type { CredentialRule } from "../../src/recipes/index.ts";
import { Refusal } from "../http/index.ts";
import type { Trust } from "./trust.ts";

/** What is proved of whoever holds the key of the lowest certificate. */
export interface Verified {
  /** Normal form of the person's name. */
  readonly subject: string;
  /** Primary first, in short normal form, each once. */
  readonly fqans: readonly string[];
  /** Of the primary FQAN; `null` where no VO says anything. */
  readonly vo: string | null;
  /** Names of the authorities in normal form, from the one that issued the person's certificate upwards. */
  readonly authorities: readonly string[];
}

/** Characters: what is left of the longest body. */
const CHARACTERS = 60 * 1024;
const NO_PEM = /[^\t\r\n\x20-\x7e]/;

/** @throws {Refusal} 400 */
function readChainText(value: unknown): string {
  if (typeof value !== "string" || value === "")
    throw new Refusal(400, "chain is missing: expected the certificates of a proxy as PEM text, the proxy first");
  if (value.length > CHARACTERS || NO_PEM.test(value))
    throw new Refusal(400, `chain: expected at most ${CHARACTERS} characters of PEM text`);
  if (value.includes("PRIVATE KEY"))
    throw new Refusal(400, "chain: a private key is in it, which nobody should ever be sent; it was not kept");
  return value;
}

function refused(error: unknown): never {
  if (error instanceof GridRefused)
    throw new Refusal(401, `the credential is not good (${error.code}): ${error.message}`);
  throw error;
}

function checkRights({ rights, subject }: ValidPath, limited: CredentialRule["limited"]): void {
  if (rights === "independent")
    throw new GridRefused("proxy-rights", `${subject} is an independent proxy, which has none of the person's rights`);
  if (rights === "limited" && limited === "refuse")
    throw new GridRefused("proxy-rights", `${subject} is a limited proxy, and the site file refuses those`);
}

/** The name by which attribute certificates know a host, where it is one. */
const dnsName = (host: string | null): string | undefined =>
  host === null || host === "" || host.startsWith("/") ? undefined : host;

export class Credentials {
  readonly #trust: Pick<Trust, "path" | "memberships" | "loaded">;
  readonly #limited: CredentialRule["limited"];

  constructor(trust: Pick<Trust, "path" | "memberships" | "loaded">, limited: CredentialRule["limited"]) {
    this.#trust = trust;
    this.#limited = limited;
  }

  /**
   * @param chain as it was sent
   * @param host for whom it is to be used, where that is known
   * @throws {Refusal} 400 when it is no PEM text; 401 with what is wrong with it; 503 in the first moment
   */
  verify(chain: unknown, host: string | null): Verified {
    const text = readChainText(chain);
    if (!this.#trust.loaded)
      throw new Refusal(503, "the authorities that are believed are being read: ask again in a moment");
    let path: ValidPath;
    let memberships: readonly Membership[];
    try {
      path = this.#trust.path(text);
      checkRights(path, this.#limited);
      memberships = this.#trust.memberships(path, dnsName(host));
    } catch (error) {
      return refused(error);
    }
    const fqans = memberships.flatMap((one) => one.fqans.map((fqan) => formatFqan(parseFqan(fqan))));
    const end = path.certificates.indexOf(path.endEntity);
    return {
      subject: path.identity,
      fqans: [...new Set(fqans)],
      vo: memberships[0]?.vo ?? null,
      authorities: path.certificates.slice(end + 1).map(({ subject }) => subject.normal),
    };
  }
}
