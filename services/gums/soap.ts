/** GUMS's SOAP calls: SAML 2 with XACML 2, for LCMAPS, gPlazma, gLExec and ARC. The decision is the one of the JSON calls. */
import {
  type AuthorizationQuery,
  type Result,
  readAuthorizationQuery,
  resultFor,
  SoapRefused,
  writeAuthorizationResponse,
} from "../../src/grid/index.ts";
import { type DecidingParts, soapAnswer, soapCall, stamp } from "../deciding/index.ts";
import type { Answer, Handler, Peer } from "../serving/index.ts";
import type { MapIdentity, Mapped } from "./mapping.ts";
import type { Believes } from "./questions.ts";

export interface GumsSoapParts extends Pick<DecidingParts, "log"> {
  readonly mapIdentity: MapIdentity;
  readonly believes: Believes;
}

const ISSUER = "gums";

/** Who names no host asks for his own; in the dialect in which hosts are always named, that is a mistake. */
function hostOf({ host, dialect }: AuthorizationQuery, peer: Peer): string {
  if (host !== null) return host;
  if (dialect === "authz-interop" || peer.name === "")
    throw new SoapRefused("resource-x509-id or dns-host-name is missing: who asks decides which groups count");
  return peer.name;
}

function resultOf(mapping: Mapped, query: AuthorizationQuery): Result {
  return mapping.outcome === "account" ? resultFor(query, mapping) : { decision: "Deny", says: null };
}

export function gumsSoapRoutes({ log, mapIdentity, believes }: GumsSoapParts): Readonly<Record<string, Handler>> {
  const authorize = soapCall(log, (call) => {
    const query = readAuthorizationQuery(call.request.body);
    const { subject, primaryFqan, checked, dialect } = query;
    const mapping = mapIdentity(
      {
        subject,
        fqan: primaryFqan,
        // Nobody is believed who does not say that he has looked.
        believed: believes(call.peer) && (checked || primaryFqan === null),
        host: hostOf(query, call.peer),
        token: null,
      },
      call,
      dialect,
    );
    const answer = (mapped: Mapped): Answer =>
      soapAnswer(writeAuthorizationResponse(query, resultOf(mapped, query), stamp(ISSUER)));
    return mapping instanceof Promise ? mapping.then(answer) : answer(mapping);
  });
  return { "POST /gums/services/GUMSXACMLAuthorizationServicePort": authorize };
}
