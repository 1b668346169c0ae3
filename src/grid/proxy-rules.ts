/**
 * What makes a certificate a proxy and what its issuer lets it be: RFC 3820, the Globus draft before it, and the legacy proxies that are
 * proxies by their name only.
 */
import type { Certificate } from "./certificate.ts";
import { formatOneline } from "./dn.ts";
import { KEY_USAGE } from "./extensions.ts";
import { OID } from "./oids.ts";
import { GridRefused } from "./refused.ts";

/** `none` is an end-entity certificate. */
export type ProxyKind = "none" | "rfc" | "draft" | "legacy";
/** What is left of the identity's rights; nothing may be done in its name with `independent`. */
export type ProxyRights = "all" | "limited" | "independent";

const LEGACY: Readonly<Record<string, ProxyRights>> = { proxy: "all", "limited proxy": "limited" };

/** @returns `none` for what is no proxy; a name like a legacy proxy's makes one only below its own name */
export function proxyKindOf(certificate: Certificate): ProxyKind {
  const { extensions, subject, issuer } = certificate;
  if (extensions.proxy !== null) return extensions.proxy.kind;
  const last = subject.rdns.at(-1)!;
  return last.type === "CN" &&
    Object.hasOwn(LEGACY, last.value) &&
    subject.normal === `${issuer.normal}/CN=${last.value}`
    ? "legacy"
    : "none";
}

function rightsOf(certificate: Certificate): ProxyRights | "other" {
  return certificate.extensions.proxy?.rights ?? LEGACY[certificate.subject.rdns.at(-1)!.value]!;
}

export interface ProxyResult {
  readonly kind: ProxyKind;
  readonly rights: ProxyRights;
  /** Proxies that may still follow below; `null` means any number. */
  readonly pathLength: number | null;
}

const PROXY_EXTENSIONS: readonly string[] = [OID.proxyCertInfo, OID.draftProxyCertInfo];

/** RFC 3820 3.4 to 3.8, of one proxy by itself and under its issuer. */
function checkOne(proxy: Certificate, issuer: Certificate): void {
  const name = proxy.subject.normal;
  const { extensions } = proxy;
  const information = extensions.proxy;
  const last = proxy.subject.rdns.at(-1)!;
  if (last.type !== "CN" || formatOneline(proxy.subject.rdns.slice(0, -1)) !== issuer.subject.normal)
    throw new GridRefused("proxy-name", `the proxy ${name} is not its issuer's name and one CN`);
  if (extensions.basicConstraints?.authority)
    throw new GridRefused("authority", `the proxy ${name} says it is an authority`);
  if (extensions.alternativeNames !== null || extensions.issuerAlternativeNames)
    throw new GridRefused("proxy-name", `the proxy ${name} has a second name`);
  if (issuer.extensions.keyUsage !== null && !(issuer.extensions.keyUsage & KEY_USAGE.digitalSignature))
    throw new GridRefused("key-usage", `the key of ${issuer.subject.normal} may not sign a proxy`);
  if (information === null) return;
  if (!PROXY_EXTENSIONS.some((oid) => extensions.critical.includes(oid)))
    throw new GridRefused("proxy-kind", `the proxy ${name} does not say critically that it is one`);
  if (information.rights === "other")
    throw new GridRefused(
      "proxy-rights",
      `the proxy ${name} has rights in the language ${information.language}, which nobody here understands`,
    );
  if (information.rights !== "limited" && information.policy !== null)
    throw new GridRefused("proxy-rights", `the proxy ${name} has a policy where its language allows none`);
}

/**
 * A chain of proxies under its end entity, signatures apart.
 * @param chain the proxies from the lowest up, and the end entity last
 * @throws {GridRefused} `proxy-name`, `proxy-kind`, `proxy-rights`, `path-length`, `authority`, `key-usage`
 */
export function checkProxies(chain: readonly Certificate[]): ProxyResult {
  const kind = proxyKindOf(chain[0]!);
  let rights: ProxyRights = "all";
  let left = Number.POSITIVE_INFINITY;
  for (let at = chain.length - 2; at >= 0; at--) {
    const proxy = chain[at]!;
    const name = proxy.subject.normal;
    checkOne(proxy, chain[at + 1]!);
    const own = proxyKindOf(proxy);
    if (own !== kind) throw new GridRefused("proxy-kind", `${name} is a ${own} proxy in a chain of ${kind} proxies`);
    if (left === 0) throw new GridRefused("path-length", `${name} is one proxy more than its issuers allow`);
    left = Math.min(left - 1, proxy.extensions.proxy?.pathLength ?? Number.POSITIVE_INFINITY);
    const mine = rightsOf(proxy) as ProxyRights;
    if (rights === "limited" && mine !== "limited")
      throw new GridRefused("proxy-rights", `a limited proxy issued ${name}, which is not limited`);
    // An independent proxy has nothing of its issuer's to pass on, whatever stands below it.
    if (rights !== "independent") rights = mine;
  }
  return { kind, rights, pathLength: left === Number.POSITIVE_INFINITY ? null : left };
}
