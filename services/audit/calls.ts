/** `GET …/audit`: the record, for operators. One search at a time: it reads files, and decisions come first. */
import { type Call, errorAnswer, type Handler, json, Refusal } from "../serving/index.ts";
import type { DecisionRecord } from "./record.ts";
import { type AuditRecord, searchAudit } from "./search.ts";

/** Records one answer has at most. */
const LIMIT = 10_000;
/** Octets of records one answer has at most. */
const OCTETS = 8 * 1024 * 1024;

/** What bounds a search; all else is a field. */
const BOUNDS: readonly string[] = ["from", "to", "limit"];

function moment(call: Call, name: string): number {
  const text = call.query.get(name) ?? "";
  const value = Date.parse(text);
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text) || Number.isNaN(value))
    throw new Refusal(400, `${name}: expected a time such as 2026-11-20T03:12:00Z`);
  return value;
}

/** @param fields by which a record may be asked for */
export function auditCall(record: DecisionRecord, fields: readonly string[]): Handler {
  let busy = false;
  return async (call) => {
    if (call.peer.unit !== "operator")
      return errorAnswer(
        403,
        `${call.peer.name || "this certificate"} is not an operator: the record is shown to operators`,
      );
    const [from, to] = [moment(call, "from"), moment(call, "to")];
    const limit = Number(call.query.get("limit") ?? 1000);
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > LIMIT)
      throw new Refusal(400, `limit: expected a whole number from 1 to ${LIMIT}`);
    const equal: Record<string, string> = {};
    for (const field of call.query.names()) {
      if (BOUNDS.includes(field)) continue;
      if (!fields.includes(field)) throw new Refusal(400, `${field}: expected one of ${fields.join(", ")}`);
      equal[field] = call.query.get(field) ?? "";
    }
    if (busy) return errorAnswer(429, "somebody looks into the record now: one at a time");
    busy = true;
    try {
      record.flush();
      const records: AuditRecord[] = [];
      let octets = 0;
      const answer = await searchAudit(record.directory, { from, to, equal }, (one) => {
        records.push(one);
        octets += JSON.stringify(one).length;
        return records.length < limit && octets < OCTETS;
      });
      return json(200, { result: "OK", ...answer, records });
    } finally {
      busy = false;
    }
  };
}
