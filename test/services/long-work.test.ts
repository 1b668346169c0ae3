/** Work beside decisions: searches of the record, comparisons of policies, unseen values. Operators wait for each other, floods are bounded. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { auditCall, DecisionRecord } from "../../services/audit/index.ts";
import { whatIfCall } from "../../services/gums/what-if.ts";
import { type Call, oneAtATime, Query, type Refusal } from "../../services/http/index.ts";
import { type Follower, Merged, RecordsError } from "../../services/records/index.ts";
import { SeenValues } from "../../services/saz/seen.ts";
import { readGumsPolicy, sazKey } from "../../src/policy/index.ts";

const PERIOD = { from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z" };
let directory: string;
let record: DecisionRecord;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "domus-long-"));
  const retention = { keep: 1e9, space: 2 ** 30 };
  record = new DecisionRecord({ directory, retention, onFault: assert.fail });
});
afterEach(async () => {
  await record.close();
  rmSync(directory, { recursive: true, force: true });
});

const write = (subject: string): void =>
  record.write(JSON.stringify({ at: "2026-11-20T03:00:00Z", subject, host: "h", account: null, rule: "nobody" }));

function call(words: Readonly<Record<string, string>>, body: unknown = null): Call {
  return {
    method: "GET",
    path: "/",
    query: new Query(new URLSearchParams(words).toString()),
    peer: { name: "olga", unit: "operator" },
    from: "127.0.0.1",
    request: { method: "GET", target: "/", headers: {}, body: Buffer.from(JSON.stringify(body)), stays: true },
  };
}

test("two operators who search at once both get the whole answer", async () => {
  write("/CN=Alice");
  const search = auditCall(record, ["subject"]);
  const answers = await Promise.all([1, 2, 3, 4].map(() => search(call(PERIOD))));
  for (const { status, body } of answers) {
    assert.equal(status, 200);
    assert.equal(JSON.parse(body).records.length, 1);
  }
});

test("what waits is bounded, and a failure ends nobody else's turn", async () => {
  const inTurn = oneAtATime("it is done");
  const work = Array.from({ length: 12 }, (_, index) =>
    inTurn(async () => {
      if (index === 3) throw new Error("broken");
      return index;
    }),
  );
  const ends = await Promise.allSettled(work);
  assert.deepEqual(
    ends.map((end) =>
      end.status === "fulfilled" ? end.value : ((end.reason as Refusal).status ?? end.reason.message),
    ),
    [0, 1, 2, "broken", 4, 5, 6, 7, 8, 429, 429, 429],
  );
  assert.equal(await inTurn(async () => "again"), "again");
});

test("a person is found in the record by either spelling of the name", async () => {
  write("/DC=org/CN=Alice M\\xC3\\xBCller");
  write("0815");
  const search = auditCall(record, ["subject"]);
  for (const subject of [
    "/DC=org/CN=Alice M\\xC3\\xBCller",
    "/dc=org/CN=Alice Müller",
    "CN=Alice Müller, DC=org",
    "0815",
  ]) {
    const { body } = await search(call({ ...PERIOD, subject }));
    assert.equal(JSON.parse(body).records.length, 1, subject);
  }
});

test("a flood of long names does not fill the memory of a comparison", async () => {
  for (let count = 0; count < 50; count++) write(`/CN=${"x".repeat(100)}${count}`);
  const { policy } = readGumsPolicy({ hosts: [], groups: [] });
  const nobody = { memberships: () => [], account: () => undefined, pooled: () => undefined };
  const compare = whatIfCall(record, policy!, nobody, { questions: 1000, characters: 2000 });
  const { status, body } = await compare(call({}, { ...PERIOD, policy: { hosts: [], groups: [] } }));
  assert.equal(status, 200, body);
  const { more, questions } = JSON.parse(body);
  assert.equal(more, true);
  assert.ok(questions.same < 20, body);
});

test("a value that the database refuses does not keep the others from being recorded", async () => {
  const merged = new Merged(({ kind = "", value = "" }) => sazKey(kind, value));
  const written: string[] = [];
  const append = async ({ value = "" }): Promise<never> => {
    written.push(value);
    throw new RecordsError(value === "/CN=poison" ? "refused" : "away", "no");
  };
  const seen = new SeenValues({ merged, fault: null, append } as unknown as Follower, () => {}, { perSecond: 1000 });
  for (const subject of ["/CN=poison", "/CN=next"])
    seen.look({ subject, vo: null, fqans: [], believed: true, ca: null, token: null }, "ce1");
  while (!written.includes("/CN=next") || written.length < 4) await new Promise((resolve) => setTimeout(resolve, 1));
  seen.close();
  assert.equal(written.filter((value) => value === "/CN=poison").length, 1);
});

test("values that were recorded in an earlier life count", () => {
  const merged = new Merged(({ value = "" }) => value);
  merged.learn({ origin: 1, seq: 1, counter: 1, at: "", fields: { kind: "dn", value: "/CN=old" } });
  const seen = new SeenValues({ merged, fault: null } as unknown as Follower, () => {}, { values: 1 });
  seen.look({ subject: "/CN=new", vo: null, fqans: [], believed: true, ca: null, token: null }, "ce1");
  seen.close();
  assert.equal(seen.unrecorded, 1);
});

test("a certificate that asks about ever new names does not keep others' from being recorded", () => {
  const merged = new Merged(({ value = "" }) => value);
  const seen = new SeenValues({ merged, fault: null } as unknown as Follower, () => {}, { ofOne: 3 });
  const look = (subject: string, asker: string) =>
    seen.look({ subject, vo: null, fqans: [], believed: true, ca: null, token: null }, asker);
  for (let index = 0; index < 10; index++) look(`/CN=${index}`, "loud");
  assert.equal(seen.unrecorded, 7);
  look("/CN=other", "quiet");
  seen.close();
  assert.equal(seen.unrecorded, 7);
});
