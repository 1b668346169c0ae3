/** SOAP calls of GUMS and SAZ: text in, text out, and a fault instead of an exception. What a SOAPAction says is not looked at: clients differ. */
import { randomUUID } from "node:crypto";
import { SoapRefused, type Stamp, soapFault } from "../../src/grid/index.ts";
import { type Answer, type Call, type Handler, Refusal } from "../http/index.ts";
import type { Log } from "../serving/index.ts";
import { quotedNow } from "./lines.ts";

const TYPE = "text/xml; charset=utf-8";

/** @returns the time this many milliseconds from now, RFC 3339: until when an answer may be used */
export function later(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString();
}

/** @returns a SOAP answer */
export function soapAnswer(message: string): Answer {
  return { status: 200, body: message, type: TYPE };
}

/** @param issuer which service answers */
export function stamp(issuer: string): Stamp {
  return { id: randomUUID(), at: quotedNow().slice(1, -1), issuer };
}

/** SOAP 1.1 knows 500 for every fault; whose it is stands in it. */
function faultOf(error: unknown, log: Log): Answer {
  const fault = (of: Parameters<typeof soapFault>[0]): Answer => ({ status: 500, body: soapFault(of), type: TYPE });
  if (error instanceof SoapRefused) return fault(error);
  if (error instanceof Refusal)
    return fault({ code: error.status < 500 ? "Client" : "Server", message: error.message });
  log("defect", { says: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  return fault({ code: "Server", message: "a defect in this program; its log says more" });
}

/** @returns a call whose every failure is a SOAP fault */
export function soapCall(log: Log, work: (call: Call) => Answer | Promise<Answer>): Handler {
  return (call) => {
    try {
      const type = call.request.headers["content-type"] ?? "text/xml";
      if (!/^(text|application)\/(soap\+)?xml\s*(;|$)/i.test(type))
        throw new SoapRefused("content-type: expected text/xml");
      const answer = work(call);
      return answer instanceof Promise ? answer.catch((error: unknown) => faultOf(error, log)) : answer;
    } catch (error) {
      return faultOf(error, log);
    }
  };
}
