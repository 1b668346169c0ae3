/** SAZ's SOAP call: permit or deny as SAML 2 with XACML 2. It lays no obligation on anybody. */
import { Names, type Result, readAuthorizationQuery, writeAuthorizationResponse } from "../../src/grid/index.ts";
import { normalSazValue } from "../../src/policy/index.ts";
import { type Believes, type DecidingParts, named, soapAnswer, soapCall, stamp } from "../deciding/index.ts";
import type { Handler } from "../http/index.ts";
import type { Judge } from "./judging.ts";

export interface SazSoapParts extends Pick<DecidingParts, "log"> {
  readonly judge: Judge;
  readonly believes: Believes;
}

const readVo = new Names((text) => normalSazValue("vo", text));

export function sazSoapRoutes({ log, judge, believes }: SazSoapParts): Readonly<Record<string, Handler>> {
  const authorize = soapCall(log, (call) => {
    const query = readAuthorizationQuery(call.request.body);
    const { subject, issuer, fqans, checked, dialect } = query;
    const vo = query.vo === null ? null : named("vo", () => readVo.get(query.vo!));
    // Nobody is believed who does not say that he has looked.
    const believed = believes(call.peer) && (checked || fqans.length === 0);
    const question = { subject, vo, fqans, believed, ca: issuer, token: null };
    const { decision, reason } = judge(question, call, dialect);
    const result: Result = decision === "Permit" ? { decision, obligations: [] } : { decision, says: reason };
    return soapAnswer(writeAuthorizationResponse(query, result, stamp("saz")));
  });
  return { "POST /saz/services/SAZXACMLAuthorizationServicePort": authorize };
}
