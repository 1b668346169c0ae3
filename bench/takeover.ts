/**
 * How long an alias is without an answer when its director dies or freezes, and whether a busy machine is ever taken for a dead one.
 *   bin/node bench/takeover.ts [--kills 20] [--freezes 20] [--json]
 *   bin/node bench/takeover.ts --idle 600 [--burners 4]      false takeovers while every CPU is busy
 * Both directors are real processes under real mutual TLS; the alias is asked every 5 ms, each time over a new connection.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { GuestName } from "../src/model/index.ts";
import { askGreeting, startProber } from "../src/probe/index.ts";
import { aliasOf, endStopped, ownAddress, Pairing } from "../test/director/harness.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    freezes: { type: "string", default: "20" },
    idle: { type: "string", default: "0" },
    burners: { type: "string", default: String(availableParallelism() * 2) },
    json: { type: "boolean", default: false },
  },
});
const ALIAS = { address: ownAddress(10), port: 8443 };

/** The one place that knows who stands for the hardware: the least supervisor that will do, until the real one is used here. */
async function supervise(house: Pairing): Promise<void> {
  for (const i of [0, 1]) await house.supervise(i, endStopped);
}

async function site(): Promise<Pairing> {
  const backends = [];
  for (const n of [20, 21]) {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("here");
    });
    server.listen(ALIAS.port, ownAddress(n));
    await once(server, "listening");
    server.unref();
    const check = { kind: "tcp", port: ALIAS.port } as const;
    backends.push({ guest: `c${n}` as GuestName, address: ownAddress(n), port: ALIAS.port, check });
  }
  const house = await new Pairing().prepare([aliasOf({ ...ALIAS, backends })]);
  await supervise(house);
  house.start(0);
  house.start(1);
  await house.role(0, "active");
  await house.role(1, "standby");
  return house;
}

/** @returns milliseconds without an answer, seen by a client */
async function strike(house: Pairing, active: number, signal: "SIGKILL" | "SIGSTOP"): Promise<number> {
  const prober = startProber({ ask: askGreeting(ALIAS.address, ALIAS.port), spacingMs: 5, timeoutMs: 5000 });
  await prober.good(10);
  house.signal(active, signal);
  await house.role(1 - active, "active");
  await prober.good(20);
  const report = prober.stop();
  house.start(active);
  await house.role(active, "standby");
  return report.longestGapMs;
}

function figures(gaps: readonly number[]) {
  const sorted = [...gaps].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { count: sorted.length, medianMs: at(0.5), p90Ms: at(0.9), maxMs: at(1) };
}

async function strikes(): Promise<void> {
  await using house = await site();
  const results: Record<string, ReturnType<typeof figures>> = {};
  let active = 0;
  for (const [what, signal, count] of [
    ["killed", "SIGKILL", Number(values.kills)],
    ["frozen", "SIGSTOP", Number(values.freezes)],
  ] as const) {
    const gaps: number[] = [];
    for (let k = 0; k < count; k++) {
      gaps.push(await strike(house, active, signal));
      active = 1 - active;
    }
    results[what] = figures(gaps);
    if (!values.json && count > 0) {
      const { medianMs, p90Ms, maxMs } = results[what];
      console.log(
        `${what} ${count} times: without an answer median ${medianMs} ms, 90 % ${p90Ms} ms, longest ${maxMs} ms`,
      );
    }
  }
  if (values.json) console.log(JSON.stringify(results));
  const missed = Object.values(results).some(({ count, medianMs }) => count > 0 && medianMs >= 1000);
  if (missed) process.exitCode = 1;
}

async function idle(seconds: number): Promise<void> {
  await using house = await site();
  const burn = () => spawn(process.execPath, ["-e", "for (;;) Math.sqrt(Math.random())"], { stdio: "ignore" });
  const burners: ChildProcess[] = Array.from({ length: Number(values.burners) }, burn);
  try {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  } finally {
    for (const burner of burners) burner.kill("SIGKILL");
  }
  const [first, second] = [await house.status(0), await house.status(1)];
  const takeovers = (first.role === "active" ? 0 : 1) + (second.lastTakeover === null ? 0 : 1);
  const result = {
    seconds,
    burners: burners.length,
    falseTakeovers: takeovers,
    supervisorAsked: house.asked.length,
    longestStallMs: Math.max(first.longestStallMs, second.longestStallMs),
  };
  console.log(
    values.json
      ? JSON.stringify(result)
      : `${seconds} s with ${result.burners} burners: ${takeovers} false takeovers, supervisor asked ${result.supervisorAsked} times, longest stall ${result.longestStallMs} ms`,
  );
  if (takeovers > 0) process.exitCode = 1;
}

if (Number(values.idle) > 0) await idle(Number(values.idle));
else await strikes();
process.exit();
