/** The promise in one place: whatever single thing dies or freezes under load, no call of a patient client is lost. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { after, before, test } from "node:test";
import type { GuestName } from "../../src/model/index.ts";
import { type LoadReport, probeGuest, runLoad } from "../../src/probe/index.ts";
import { aliasOf, endStopped, ownAddress, Pairing, until } from "./harness.ts";

const ALIAS = ownAddress(10);
const PORT = 8080;
const COPIES = [20, 21];
const check = { kind: "http", port: PORT, path: "/", status: 200, contains: "good" } as const;
const aliases = [
  aliasOf({
    address: ALIAS,
    port: PORT,
    backends: COPIES.map((n) => ({ guest: `c${n}` as GuestName, address: ownAddress(n), port: PORT, check })),
  }),
];
const processes = new Map<number, ChildProcess>();

function startCopy(n: number): void {
  const program = `require("node:http").createServer((q, a) => a.end("good")).listen(${PORT}, "${ownAddress(n)}")`;
  processes.set(n, spawn(process.execPath, ["-e", program], { stdio: "ignore" }));
}

before(() => {
  for (const n of COPIES) startCopy(n);
});
after(() => {
  for (const child of processes.values()) child.kill("SIGKILL");
});

const read = {
  kind: "read",
  method: "GET",
  scheme: "http",
  path: "/",
  body: null,
  statuses: [200],
  contains: "good",
} as const;

/** Loads the alias, strikes once it runs well, and goes on until well after. */
async function underLoad(house: Pairing, strike: () => void, recovered: () => Promise<boolean>): Promise<LoadReport> {
  await until("the alias answers", async () => (await probeGuest(check, ALIAS, null)).outcome === "answers");
  await until("both copies are up", async () =>
    (await house.status(0)).aliases[0]!.copies.every((copy) => copy.state === "up"),
  );
  const enough = new AbortController();
  let answered = 0;
  const running = runLoad({
    target: { address: ALIAS, port: PORT, servername: null },
    tls: null,
    samples: [read],
    pace: { kind: "open", perSecond: 100 },
    calls: 100_000,
    signal: enough.signal,
    onProgress: (progress) => {
      answered = progress.answered;
    },
  });
  await until("some calls are answered", () => answered >= 50);
  strike();
  await until("it was noticed", recovered);
  const then = answered;
  await until("calls are answered again", () => answered >= then + 150);
  enough.abort();
  return running;
}

const pair = () => Pairing.ready(aliases, endStopped);

for (const [what, signal] of [
  ["dies", "SIGKILL"],
  ["freezes", "SIGSTOP"],
] as const) {
  test(`a copy ${what} under load: no call is lost`, async () => {
    await using house = await pair();
    const report = await underLoad(
      house,
      () => void processes.get(20)!.kill(signal),
      async () => (await house.status(0)).aliases[0]!.copies[0]!.state === "down",
    );
    processes.get(20)!.kill("SIGKILL");
    startCopy(20);
    assert.equal(report.lost, 0, JSON.stringify(report.events.slice(0, 5)));
    assert.equal(report.refused, 0);
  });

  test(`the active director ${what} under load: no call is lost`, async () => {
    await using house = await pair();
    const report = await underLoad(
      house,
      () => house.signal(0, signal),
      async () => (await house.status(1)).role === "active",
    );
    assert.equal(report.lost, 0, JSON.stringify(report.events.slice(0, 5)));
    assert.equal(report.refused, 0);
  });
}
