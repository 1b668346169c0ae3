import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { createAuthority } from "../../src/pki/index.ts";
import {
  askGreeting,
  askKept,
  clientLimit,
  Histogram,
  judge,
  type LoadEvent,
  type LoadOptions,
  probeGuest,
  readAnswer,
  runLoad,
  startProber,
} from "../../src/probe/index.ts";

import type { SampleRequest } from "../../src/recipes/index.ts";
import type { TlsIdentity } from "../../src/world/index.ts";
import { issue, until } from "../director/harness.ts";

const HERE = "127.0.0.1";

async function listening(server: Server, port = 0): Promise<{ port: number; [Symbol.dispose]: () => void }> {
  server.listen(port, HERE);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() };
}

const read: SampleRequest = {
  kind: "read",
  method: "GET",
  scheme: "http",
  path: "/read",
  body: null,
  statuses: [200],
  contains: "good",
};
const write: SampleRequest = { ...read, kind: "write", method: "POST", path: "/write", body: "{}" };

function load(port: number, rest: Partial<LoadOptions>): LoadOptions {
  return {
    target: { address: HERE, port, servername: null },
    tls: null,
    samples: [read],
    pace: { kind: "closed", workers: 4 },
    ...rest,
  };
}

/** Lehmer's generator: the same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test("an answer is judged by status, text and what the program says of itself", () => {
  const probe = { status: 200, contains: "fine" };
  const outcome = (status: number, body: string) => readAnswer(probe, status, body).outcome;
  assert.equal(outcome(200, "all is fine"), "answers");
  assert.equal(outcome(200, "{}"), "failed");
  assert.equal(outcome(503, "fine"), "failed");

  assert.equal(outcome(200, '{"state":"read-only","says":"from a snapshot"}'), "read-only");
  assert.match(readAnswer(probe, 503, '{"message":"no database"}').says, /expected 200 \(no database\)/);
  fc.assert(fc.property(fc.integer(), fc.string(), (status, body) => void outcome(status, body)));
});

test("guests are asked by tcp, http and mutual TLS, and the certificate must be theirs", async () => {
  const authority = await createAuthority("t", Date.now());
  const own = await issue(authority, "gums", [HERE]);
  const operator = await issue(authority, "operator", []);
  const strict: TlsIdentity & { requestCert: true; rejectUnauthorized: true } = {
    ...own,
    requestCert: true,
    rejectUnauthorized: true,
  };
  const server = createHttps(strict, (_, answer) => void answer.end("fine"));
  using at = await listening(server);
  const probe = { kind: "https", port: at.port, path: "/", status: 200, contains: "fine" } as const;
  const ask = (tls: TlsIdentity | null, servername: string | null) => probeGuest(probe, HERE, tls, { servername });
  assert.equal((await ask(operator, "gums")).outcome, "answers");
  assert.equal((await ask(operator, null)).outcome, "answers");
  assert.equal((await ask(operator, "saz")).outcome, "failed");
  assert.equal((await ask(null, "gums")).outcome, "failed");
  const stranger = await issue(await createAuthority("u", Date.now()), "operator", []);
  assert.equal((await ask({ ...stranger, ca: operator.ca }, "gums")).outcome, "failed");
  assert.equal((await probeGuest({ kind: "tcp", port: at.port }, HERE, null)).outcome, "answers");
  const closed = await listening(createTcp());
  closed[Symbol.dispose]();
  const gone = await probeGuest({ kind: "tcp", port: closed.port }, HERE, null);
  assert.deepEqual([gone.outcome, gone.says], ["failed", `${HERE}:${closed.port}: nothing listens there`]);
});

test("a prober measures the time without service, from last good to first good", async () => {
  const greet = () => createTcp((socket) => void socket.on("error", () => {}).end("hello"));
  const first = greet();
  const { port } = await listening(first);
  const prober = startProber({ ask: askGreeting(HERE, port), spacingMs: 5 });
  await prober.good(10);
  first.close();
  await until("questions fail", () => prober.report().failed >= 5);
  using _ = await listening(greet(), port);
  await prober.good(10);
  const report = prober.stop();
  assert.ok(report.gaps.length >= 1);
  const gap = report.gaps.reduce((longest, next) => (next.ms > longest.ms ? next : longest));
  const good = report.samples.filter((sample) => sample.outcome === "good");
  assert.ok(good.some((sample) => sample.endedAt === gap.from) && good.some((sample) => sample.endedAt === gap.to));
  assert.ok(gap.failed >= 1 && !gap.open);
  assert.match(gap.says, /ECONNREFUSED/);
});

test("a slow answer delays no question; too many of them are withheld, and stopping leaves an open gap", async () => {
  let asked = 0;
  const prober = startProber({
    ask: (_, signal) =>
      new Promise((resolve) => {
        asked++;
        signal.addEventListener("abort", () => resolve({ good: false, says: "given up" }));
      }),
    spacingMs: 2,
    mostOutstanding: 20,
  });
  await until("questions are withheld", () => prober.report().withheld > 5);
  assert.equal(asked, 20);
  const report = prober.stop();
  assert.ok(report.gaps.at(-1)!.open);
  assert.equal(report.good, 0);
});

test("latencies: percentiles are right to one hundredth", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.02, max: 60_000, noNaN: true }), { minLength: 1 }), (all) => {
      const histogram = new Histogram();
      for (const ms of all) histogram.add(ms);
      const sorted = all.toSorted((a, b) => a - b);
      for (const share of [0.5, 0.9, 0.99]) {
        const exact = sorted[Math.ceil(all.length * share) - 1]!;
        const found = histogram.percentile(share);
        assert.ok(found >= exact * 0.989 && found <= exact * 1.011, `${found} for ${exact}`);
      }
    }),
  );
});

test("histograms of several processes are one histogram, after a way through JSON", () => {
  const times = fc.array(fc.double({ min: 0.02, max: 60_000, noNaN: true }));
  fc.assert(
    fc.property(times, times, (some, others) => {
      const [all, first, second, merged] = [new Histogram(), new Histogram(), new Histogram(), new Histogram()];
      for (const ms of [...some, ...others]) all.add(ms);
      for (const ms of some) first.add(ms);
      for (const ms of others) second.add(ms);
      for (const one of [first, second]) merged.merge(JSON.parse(JSON.stringify(one.value())));
      const { mean, ...rest } = all.summary();
      const { mean: alsoMean, ...also } = merged.summary();
      assert.deepEqual(also, rest);
      assert.ok(Math.abs(mean - alsoMean) < 0.02);
    }),
  );
});

test("coordinated omission: one call of a second among hundred of 10 ms was ninety-nine others that nobody made", () => {
  const seen = new Histogram();
  seen.add(10, 100);
  seen.add(1000);
  const all = seen.corrected(10);
  // 990, 980, … 10 ms, as far as buckets of one hundredth tell.
  assert.ok(all.count >= 198 && all.count <= 200, `${all.count}`);
  assert.equal(seen.percentile(0.9), seen.percentile(0.5));
  assert.ok(all.percentile(0.9) > 700 && all.percentile(0.5) > 10);
  assert.equal(seen.corrected(0).count, 101);
  assert.equal(new Histogram().corrected(10).count, 0);
});

test("the client's own limit is told from the service's", () => {
  const of = (processors: number, busy: number, lateMs: number) => ({ client: { processors, busy, lateMs } });
  assert.equal(clientLimit(of(0.3, 0.4, 2), "open"), null);
  // Its loop never rests, but it is never late either.
  assert.equal(clientLimit(of(0.9, 0.97, 5), "open"), null);
  assert.match(clientLimit(of(0.98, 0.99, 400), "open")!, /service may do more/);
  assert.match(clientLimit(of(0.4, 0.99, 400), "open")!, /0\.4 of a processor: others/);
  assert.match(clientLimit(of(1, 1, 0), "closed")!, /service may do more/);
});

test("random arrivals are as many as were said, and come as those of people who know nothing of each other", async () => {
  const arrived: number[] = [];
  const serve: RequestListener = (_, answer) => {
    arrived.push(performance.now());
    answer.end("good");
  };
  using at = await listening(createHttp(serve));
  const pace = { kind: "open", perSecond: 40, arrivals: "random" } as const;
  const report = await runLoad(load(at.port, { pace, seconds: 2, random: seeded(7) }));
  assert.deepEqual([report.calls, report.answered], [80, 80]);
  const gaps = arrived.slice(1).map((time, index) => time - arrived[index]!);
  // At even distance each is 25 ms; of such arrivals every third gap is less than 10, and every eighth more than 50.
  assert.ok(gaps.filter((gap) => gap < 10).length > 10 && gaps.filter((gap) => gap > 50).length > 3);
});

test("a load counts what was answered, refused with a sentence, repeated and lost", async () => {
  let bad = 3;
  const serve: RequestListener = (incoming, answer) => {
    if (incoming.method === "POST") {
      answer.writeHead(503).end(JSON.stringify({ message: "the database is away" }));
    } else if (bad > 0) {
      bad--;
      incoming.socket.resetAndDestroy();
    } else answer.end("good");
  };
  using at = await listening(createHttp(serve));
  const report = await runLoad(load(at.port, { samples: [read, read, read, write], calls: 100 }));
  assert.deepEqual([report.calls, report.answered, report.refused, report.lost], [100, 75, 25, 0]);
  assert.deepEqual(report.byKind.write, { answered: 0, refused: 25, lost: 0 });
  assert.ok(report.repeated >= 1 && report.repeated <= 3);
  assert.equal(report.attempts, 103);
  assert.deepEqual(report.sentences, { "the database is away": 25 });
  assert.equal(report.service.count, 100);
  // In closed loop the calls that were not made while a repeated one took its time are made up for.
  assert.ok(report.latency.count > 100, `${report.latency.count}`);
  assert.equal(
    report.seconds.reduce((sum, second) => sum + second.answered + second.refused, 0),
    100,
  );
});

test("a call is lost when its budget is spent, not before", async () => {
  const closed = await listening(createTcp());
  closed[Symbol.dispose]();
  const report = await runLoad(load(closed.port, { calls: 4, budgetMs: 300 }));
  assert.equal(report.lost, 4);
  assert.ok(report.latency.max >= 290, `${report.latency.max}`);
  assert.deepEqual(report.sentences, { "nothing listens there": 4 });
  assert.ok(report.events.every((event) => event.attempts > 1));
});

test("open loop: a pause of the service costs every call that was meant to start in it", async () => {
  let release: (() => void)[] | null = [];
  const serve: RequestListener = (_, answer) => {
    if (release) release.push(() => void answer.end("good"));
    else answer.end("good");
  };
  using at = await listening(createHttp(serve));
  const options = load(at.port, {
    pace: { kind: "open", perSecond: 200 },
    calls: 100,
    mostOutstanding: 5,
    budgetMs: 60_000,
  });
  const running = runLoad(options);
  await until("five calls wait", () => release?.length === 5);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const waiting = release!;
  release = null;
  for (const go of waiting) go();
  const report = await running;
  assert.equal(report.answered, 100);
  // Some eighty calls were meant to start in those 400 ms: half of them waited longer than half of it.
  assert.ok(report.latency.p50 >= 100, `${report.latency.p50}`);
});

test("calls that were due and not over when the time was up are waited for, and told", async () => {
  const serve: RequestListener = (_, answer) => void setTimeout(() => answer.end("good"), 770);
  using at = await listening(createHttp(serve));
  const pace = { kind: "open", perSecond: 20 } as const;
  const report = await runLoad(load(at.port, { pace, seconds: 1, budgetMs: 60_000 }));
  assert.deepEqual([report.calls, report.answered], [20, 20]);
  // Those of the first 230 ms were over, five of them; on a busy machine fewer.
  assert.ok(report.waiting >= 14 && report.answeredPerSecond <= 6, `${report.waiting}, ${report.answeredPerSecond}`);
});

test("a load is kept alive, told to stop, and reports on the way", async () => {
  const server = createHttp((_, answer) => void answer.end("good"));
  let connections = 0;
  server.on("connection", () => connections++);
  using at = await listening(server);
  const given = new AbortController();
  let told = 0;
  const report = await runLoad(
    load(at.port, {
      pace: { kind: "open", perSecond: 200 },
      seconds: 3600,
      keepAlive: true,
      signal: given.signal,
      onProgress: (progress) => {
        if (++told === 2 || progress.answered > 1000) given.abort();
      },
    }),
  );
  assert.ok(report.aborted && report.answered > 50);
  assert.ok(connections < report.answered / 2, `${connections} connections for ${report.answered} calls`);
  assert.equal(report.lost, 0);
});

test("answers are judged without a throw, whatever they are", () => {
  assert.deepEqual(judge(read, 200, "good"), { end: "answered" });
  assert.equal(judge(read, 200, "bad").end, "again");
  assert.deepEqual(judge(read, 403, '{"message":"banned"}'), { end: "refused", says: "banned", passing: false });
  assert.equal(judge(read, 403, "banned").end, "again");
  assert.equal(judge(read, 500, '{"message":"oops"}').end, "again");
  fc.assert(
    fc.property(fc.integer(), fc.oneof(fc.string(), fc.json()), (status, body) => void judge(read, status, body)),
  );
});

test("a prober that keeps its connection makes a new one now and then, and when one breaks", async () => {
  let connections = 0;
  const sockets = new Set<Socket>();
  const open = () => {
    const server = createHttp((_, answer) => void answer.end("fine"));
    server.on("connection", (socket) => {
      connections++;
      sockets.add(socket);
    });
    return server;
  };
  const server = open();
  const { port } = await listening(server);
  const probe = { kind: "http", port, path: "/", status: 200, contains: "fine" } as const;
  const ask = askKept(probe, HERE, null, null, 5);
  const question = () => ask(2000, new AbortController().signal);
  for (let times = 0; times < 10; times++) assert.deepEqual(await question(), { good: true, says: "status 200" });
  assert.equal(connections, 2, "five questions each");
  server.close();
  for (const socket of sockets) socket.destroy();
  const refused = await question();
  assert.deepEqual([refused.good, refused.says], [false, "nothing listens there"]);
  using _ = await listening(open(), port);
  assert.equal((await question()).good, true);
  assert.equal(
    (await askKept({ ...probe, contains: "other" }, HERE, null, null)(2000, new AbortController().signal)).good,
    false,
  );
});

test("every call of a load is told; what was refused for a moment is repeated where that is asked", async () => {
  let asked = 0;
  const server = createHttp((_, answer) => {
    const away = asked++ % 3 === 0;
    answer.statusCode = away ? 503 : 200;
    answer.end(away ? '{"message":"the database is away"}' : "good");
  });
  using at = await listening(server);
  const told: LoadEvent[] = [];
  const run = (repeatRefused: boolean) =>
    runLoad(
      load(at.port, {
        calls: 6,
        pace: { kind: "closed", workers: 1 },
        repeatRefused,
        onCall: (call) => void told.push(call),
      }),
    );
  const patient = await run(true);
  assert.deepEqual([patient.answered, patient.refused, patient.repeated], [6, 0, 3]);
  assert.deepEqual(
    told.map(({ outcome, attempts, says }) => [outcome, attempts, says]),
    Array.from({ length: 3 }, () => [
      ["answered", 2, "the database is away"],
      ["answered", 1, ""],
    ]).flat(),
  );
  asked = 0;
  const impatient = await run(false);
  assert.deepEqual([impatient.answered, impatient.refused], [4, 2]);
  assert.equal(told.length, 12);
});
