/** What every recipe whose guests serve HTTPS as a program of the house has in common: alias, probe, definition. */
import { writeAuthorizationQuery } from "../grid/index.ts";
import type { Service } from "../model/index.ts";
import type { AliasShape, Question, RecipeContext, Rendered, SampleRequest } from "./recipe.ts";
import { copyPort } from "./surroundings.ts";

/** The check of a program of the house: its `/health` over mutual TLS. */
export function health(port: number) {
  return { kind: "https", port, path: "/health", status: 200, contains: null } as const;
}

/** @param fallback the recipe's own port, where the alias names none */
export function servedAlias(service: Service, target: RecipeContext["target"], fallback: number): AliasShape {
  const port = copyPort(service, target, fallback);
  return { port, check: health(port), distribution: "all", proxyProtocol: target === "embedded" };
}

interface Asked {
  readonly subject: string;
  readonly host: string;
  readonly fqans: readonly string[];
}

const ALICE: Asked = {
  subject: "/DC=org/DC=fermigrid/OU=People/CN=Alice Example",
  host: "fnpc1.example.org",
  fqans: ["/fermilab"],
};

/**
 * A question in the grid's own protocol, SAML 2 with XACML 2, as `domus load` and the acceptance tests send it beside the JSON calls.
 * @param path the endpoint
 */
export function xacmlSample(path: string, asked: Asked = ALICE): SampleRequest {
  return {
    kind: "read",
    method: "POST",
    scheme: "https",
    path,
    type: "text/xml",
    // As a gatekeeper asks that has checked who signed the groups.
    body: writeAuthorizationQuery({ ...asked, issuer: null, vomsServer: "/DC=org/DC=domus/CN=voms" }),
    statuses: [200],
    contains: "<xacml-context:Decision>",
  };
}

/** The same with its answer read: `Permit as alice`, `Deny`. @param asks for people */
export function xacmlQuestion(path: string, asked: Asked, asks: string): Question {
  return { request: xacmlSample(path, asked), asks, reads: readXacml, right: null };
}

function readXacml(body: string): string {
  const decision = /Decision>(\w+)</.exec(body)?.[1] ?? "no decision";
  const account = /attribute\/username"[^>]*>([^<]*)</.exec(body)?.[1];
  return account === undefined ? decision : `${decision} as ${account}`;
}

/** @returns a text field of an answer in JSON; `null` when it has none */
export function answerField(body: string, field: string): string | null {
  try {
    const value = (JSON.parse(body) as Record<string, unknown> | null)?.[field];
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

/** The definition of a guest that runs one bundle and keeps nothing that is not elsewhere too. */
export function servedDefinition(bundle: string, port: number): Rendered["definition"] {
  return {
    image: null,
    packages: [],
    data: "none",
    program: { kind: "bundle", bundle },
    environment: {},
    ports: { https: port },
    probe: health(port),
    watchdog: false,
  };
}
