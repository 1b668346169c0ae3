/** `GET …/audit`: the record, for operators. One search at a time: it reads files, and decisions come first. */
import { NameRefused, normalDn } from "../../src/grid/index.ts";
import { type Handler, json, moment, oneAtATime, Refusal, requireOperator } from "../http/index.ts";
import type { DecisionRecord } from "./record.ts";
import { type AuditRecord, searchAudit } from "./search.ts";

/** Records one answer has at most. */
const LIMIT = 10_000;
/** Octets of records one answer has at most. */
const OCTETS = 8 * 1024 * 1024;

/** What bounds a search; all else is a field. */
const BOUNDS: readonly string[] = ["from", "to", "limit"];

/** Fields that have names of certificates, kept in normal form. */
const NAMES: readonly string[] = ["subject", "ca"];

/** @returns the text as the record has it: people ask in either spelling; what is no name (a token's subject) stays as it is */
function asRecorded(field: string, text: string): string {
  if (!NAMES.includes(field)) return text;
  try {
    return normalDn(text);
  } catch (error) {
    if (error instanceof NameRefused) return text;
    throw error;
  }
}

/** @param fields by which a record may be asked for */
export function auditCall(record: DecisionRecord, fields: readonly string[]): Handler {
  const inTurn = oneAtATime("the record is being looked into");
  return async (call) => {
    requireOperator(call.peer, "look into the record");
    const [from, to] = [moment(call.query.get("from"), "from"), moment(call.query.get("to"), "to")];
    const limit = Number(call.query.get("limit") ?? 1000);
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > LIMIT)
      throw new Refusal(400, `limit: expected a whole number from 1 to ${LIMIT}`);
    const equal: Record<string, string> = {};
    for (const field of call.query.names()) {
      if (BOUNDS.includes(field)) continue;
      if (!fields.includes(field)) throw new Refusal(400, `${field}: expected one of ${fields.join(", ")}`);
      equal[field] = asRecorded(field, call.query.get(field) ?? "");
    }
    return inTurn(async () => {
      record.flush();
      const records: AuditRecord[] = [];
      let octets = 0;
      const answer = await searchAudit(record.directory, { from, to, equal }, (one) => {
        records.push(one);
        octets += JSON.stringify(one).length;
        return records.length < limit && octets < OCTETS;
      });
      return json(200, { result: "OK", ...answer, records });
    });
  };
}
