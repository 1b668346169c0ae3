/**
 * VOMS and VOMRS: two programs in the same guests. VOMS gives members attribute certificates; VOMRS is where people apply, are approved, sign the
 * rules and leave. The organizations are the site file's (`vos`), their people are in the database.
 *
 * VOMS speaks and signs with one certificate in every copy, that of its alias: clients know a VOMS server by its certificate's name, and two
 * copies behind one alias must be one server to them. Its key is RSA, because clients of that age know nothing else.
 */
import type { Secret } from "../model/index.ts";
import { parseDuration } from "../model/index.ts";
import { readVos, VOS_EXPECTED, type VoDefinition } from "../vo/index.ts";
import { MAIL_EXPECTED, type MailRule, readMail } from "./mail.ts";
import { portFor } from "./ports.ts";
import type { Recipe, RecipeContext, SampleRequest } from "./recipe.ts";
import { health, servedAlias, servedDefinition } from "./serving.ts";
import {
  AUDIT_DEFAULT,
  AUDIT_EXPECTED,
  type AuditRule,
  COMMUNITIES_EXPECTED,
  communitiesOf,
  copyPort,
  type DatabaseAccess,
  databaseAccess,
  directorAddresses,
  jsonFile,
  readAuditRule,
  readCommunities,
  readStale,
  type ServingConfig,
  STALE_DEFAULT,
  STALE_EXPECTED,
  type StaleRule,
} from "./surroundings.ts";

/** How clients know the VOMS of a site. */
export interface VomsServerName {
  readonly host: string;
  readonly port: number;
}

interface SharedConfig extends ServingConfig {
  readonly database: DatabaseAccess | null;
  readonly stale: StaleRule;
  readonly vos: readonly VoDefinition[];
  /** Directory of trusted authorities of people, beside the site's own: `*.pem`, `*.r0`, `*.signing_policy`. */
  readonly authorities: string;
  /** Seconds between two looks at it. */
  readonly refresh: number;
  readonly voms: VomsServerName;
}

/** `etc/voms.json` */
export interface VomsConfig extends SharedConfig {
  readonly audit: AuditRule;
  /** How the holder of an attribute certificate is named beside the serial number: see `src/grid/issue-attribute-certificate.ts`. */
  readonly holderForm: "subject" | "issuer";
  /** Whether VOMRS runs beside it. */
  readonly registration: boolean;
}

/** `etc/vomrs.json` */
export interface VomrsConfig extends SharedConfig {
  /** Where people reach it, as it stands in e-mails: `https://vomrs:8443`. */
  readonly url: string;
  /** `null`: no e-mail is sent, and addresses are confirmed by a manager. */
  readonly mail: MailRule | null;
  /** Names of the guests that run it, in their order: by it the copies share what is to be sent. */
  readonly copies: readonly string[];
  /** Name of the file in `etc/secrets` with the key that every copy signs forms and links with. */
  readonly key: string;
}

/** Where a guest has the certificate of the alias. */
export const VOMS_TLS = "etc/voms-tls";

/** What forms and links in e-mails are signed with; the same in every copy, because whoever gets a form from one may send it to another. */
function formSecret(context: RecipeContext): Secret {
  return { name: `vomrs-${context.service.name}`, version: 1, kind: "token", subject: null };
}

const PORT = 15001;
const REGISTRATION_PORT = 8443;
const AUTHORITIES = "/etc/grid-security/certificates";

const isDirectory = (value: unknown): value is string =>
  typeof value === "string" && /^\/[^\p{Cc}]{0,500}$/u.test(value) && !value.split("/").includes("..");

/** @returns seconds, or `null` */
function readRefresh(value: unknown): number | null {
  const seconds = typeof value === "string" ? parseDuration(value) : null;
  return seconds !== null && seconds >= 1 && seconds <= 86_400 ? seconds : null;
}

/** The certificate that every copy shows and signs with. */
function signingSecret(context: RecipeContext): Secret {
  const alias = context.aliases.find((one) => one.service === context.service.name);
  const name = alias?.name ?? context.service.name;
  return {
    name: `tls-voms-${context.service.name}`,
    version: 1,
    kind: "tls",
    subject: {
      commonName: name,
      dns: [name, ...context.copies.map((seat) => seat.name)],
      ip: [...(alias ? [alias.address] : []), ...context.copies.map((seat) => seat.address)],
    },
    key: "rsa",
    directory: VOMS_TLS,
  };
}

function sharedOf(context: RecipeContext, port: number): SharedConfig {
  const { service, target } = context;
  const { settings } = service;
  return {
    port,
    directors: directorAddresses(context),
    ...communitiesOf(service),
    database: databaseAccess(context),
    stale: readStale(settings.stale) ?? STALE_DEFAULT,
    vos: readVos(settings.vos).vos ?? [],
    authorities: isDirectory(settings.authorities) ? settings.authorities : AUTHORITIES,
    refresh: readRefresh(settings.refresh ?? "1 min") ?? 60,
    voms: {
      host: context.aliases.find((one) => one.service === service.name)?.name ?? context.seat.name,
      port: copyPort(service, target, PORT),
    },
  };
}

/** Whoever measures is no member: that he is told so, in VOMS's own words, is the right answer. */
const CERTIFICATE_REQUEST: SampleRequest = {
  kind: "read",
  method: "GET",
  scheme: "https",
  path: "/generate-ac?lifetime=3600",
  body: null,
  statuses: [200, 403],
  contains: "<voms>",
};

export const voms: Recipe = {
  name: "voms",
  title: "VOMS and VOMRS: who is in which virtual organization",
  defaults: { strategy: "active-active", memory: 2 * 1024 ** 3, cpus: 1, disk: 0, port: PORT },
  settings: {
    vos: {
      expected: VOS_EXPECTED,
      accepts: (value) => readVos(value).vos !== undefined,
      mistakes: (value) => readVos(value).mistakes ?? [],
    },
    authorities: { expected: `a directory such as ${AUTHORITIES}`, accepts: isDirectory },
    refresh: {
      expected: "a duration from 1 s to 1 day, such as 1 min",
      accepts: (value) => readRefresh(value) !== null,
    },
    mail: { expected: MAIL_EXPECTED, accepts: (value) => readMail(value) !== null },
    url: {
      expected: "an address such as https://vomrs.example.org:8443",
      accepts: (value) => typeof value === "string" && /^https:\/\/[^\s"<>?#]{1,250}$/.test(value),
    },
    "holder-form": {
      expected: "subject (every client takes it) or issuer (RFC 5755)",
      accepts: (value) => value === "subject" || value === "issuer",
    },
    audit: { expected: AUDIT_EXPECTED, accepts: (value) => readAuditRule(value) !== null },
    communities: { expected: COMMUNITIES_EXPECTED, accepts: (value) => readCommunities(value) !== null },
    stale: { expected: STALE_EXPECTED, accepts: (value) => readStale(value) !== null },
  },
  withoutNeeds: "read-only",
  holders: (_database, copies) => copies,
  alias: (service, { target }) => servedAlias(service, target, PORT),
  also: {
    says: "the registration of people (VOMRS)",
    port: REGISTRATION_PORT,
    shape: (alias, { target }) => {
      const port = portFor(target, alias.port);
      return { port, check: health(port), distribution: "all", proxyProtocol: target === "embedded" };
    },
    samples: [
      {
        kind: "read",
        method: "GET",
        scheme: "https",
        // The list of organizations, or the only one.
        path: "/voms",
        body: null,
        statuses: [200, 303],
        contains: null,
      },
    ],
  },
  render: (context) => {
    const { service, target } = context;
    const { settings } = service;
    const shared = sharedOf(context, copyPort(service, target, PORT));
    const second = service.also;
    const config: VomsConfig = {
      ...shared,
      audit: readAuditRule(settings.audit) ?? AUDIT_DEFAULT,
      holderForm: settings["holder-form"] === "issuer" ? "issuer" : "subject",
      registration: second !== null,
    };
    const definition = servedDefinition("voms", shared.port);
    const files = [jsonFile("etc/voms.json", config)];
    if (second !== null) {
      const port = portFor(target, second.port);
      const url = typeof settings.url === "string" ? settings.url.replace(/\/$/, "") : `https://${second.name}:${port}`;
      const registration: VomrsConfig = {
        ...shared,
        port,
        url,
        mail: readMail(settings.mail),
        copies: context.copies.map((copy) => copy.name),
        key: formSecret(context).name,
      };
      files.push(jsonFile("etc/vomrs.json", registration));
      return {
        definition: { ...definition, ports: { ...definition.ports, registration: port } },
        files,
        secrets: [signingSecret(context), formSecret(context)],
      };
    }
    return { definition, files, secrets: [signingSecret(context)] };
  },
  embeddedRefusal: () => null,
  questions: () => [
    {
      request: CERTIFICATE_REQUEST,
      asks: "an attribute certificate for whoever measures",
      reads: (body) =>
        /<code>(\w+)</.exec(body)?.[1] ?? (body.includes("<ac>") ? "a certificate" : "neither yes nor no"),
      right: null,
    },
  ],
  samples: [CERTIFICATE_REQUEST],
};
