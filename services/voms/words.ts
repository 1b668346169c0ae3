/**
 * What VOMS answers, in the two forms its clients read: REST (`<voms>`, with an HTTP status) and the older one (`<vomsans>`, nothing around it).
 * Codes and numbers are those of vomsd. Base64 stands in lines of 64 characters, each ended, because the C client decodes nothing else.
 */
import { base64Lines, escapeXml } from "../../src/grid/index.ts";
import type { Answer } from "../http/index.ts";

/** Why there is no certificate: code of the REST answer, its status, and the older answer's number. */
export const FAILURES = {
  unknown: { code: "NoSuchUser", status: 403, number: 1001 },
  suspended: { code: "SuspendedUser", status: 403, number: 1004 },
  unsatisfied: { code: "BadRequest", status: 400, number: 1001 },
  empty: { code: "BadRequest", status: 400, number: 1002 },
  malformed: { code: "BadRequest", status: 400, number: 1005 },
  unable: { code: "InternalError", status: 503, number: 1003 },
} as const;
export type Failure = keyof typeof FAILURES;

/** What may be said beside a certificate, as vomsd tells them apart. */
export interface Warning {
  readonly kind: "not-first" | "shortened" | "subset" | "unknown-parameter";
  readonly says: string;
}

export type Outcome =
  | { readonly ac: Buffer; readonly warnings: readonly Warning[]; readonly failure?: never }
  | { readonly failure: Failure; readonly says: string };

/**
 * An empty sequence, in place of a certificate. The C client up to 2.1.0-rc3 shows people what a server says only when an `ac` stands beside it;
 * without one they read "Error decoding AC" and nothing else.
 */
const NO_CERTIFICATE = Buffer.from([0x30, 0x00]);

const TYPE = "text/xml";
const encoded = (ac: Buffer): string => `${base64Lines(ac).trimEnd()}\n`;

export function restAnswer(outcome: Outcome): Answer {
  if (outcome.failure !== undefined) return failed(FAILURES[outcome.failure], outcome.says);
  const warnings = outcome.warnings.map(({ says }) => `<warning>${escapeXml(says)}</warning>`).join("");
  return {
    status: 200,
    type: TYPE,
    body: `<?xml version="1.0" encoding="UTF-8"?><voms><ac>${encoded(outcome.ac)}</ac>${warnings}</voms>`,
  };
}

/**
 * Warnings are left out: ARC's client takes whatever stands under `error` for one, and the others ask by REST first, where they are told.
 */
export function legacyAnswer(outcome: Outcome): Answer {
  const failed = outcome.failure !== undefined;
  const error = failed
    ? `<error><item><number>${FAILURES[outcome.failure].number}</number><message>${escapeXml(outcome.says)}</message></item></error>`
    : "";
  const ac = `<ac>${encoded(failed ? NO_CERTIFICATE : outcome.ac)}</ac>`;
  const body = `<?xml version="1.0" encoding="US-ASCII"?><vomsans><version>3</version>${error}${ac}</vomsans>`;
  return { status: 200, bare: true, body: body.replace(/[^\p{ASCII}]/gu, (one) => `&#${one.codePointAt(0)};`) };
}

function failed({ code, status }: { readonly code: string; readonly status: number }, says: string): Answer {
  return {
    status,
    type: TYPE,
    body: `<?xml version="1.0" encoding="UTF-8"?><voms><error><code>${code}</code><message>${escapeXml(says)}</message></error></voms>`,
  };
}

/** A refusal by the server itself: what could not be read, who is over his share. */
export function complaint(status: number, says: string): Answer {
  return failed({ code: status >= 500 || status === 429 ? "InternalError" : "BadRequest", status }, says);
}
