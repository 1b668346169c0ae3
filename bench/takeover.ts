/**
 * How long an alias is without an answer when its director dies or freezes, and whether a busy machine is ever taken for a dead one.
 *   bin/node bench/takeover.ts [--kills 20] [--freezes 20] [--json]
 *   bin/node bench/takeover.ts --idle 600 [--burners 4]      false takeovers while every CPU is busy
 * The site is `sites/wiki.yaml`, brought up as a user would, with its own supervisors; its alias is asked every 5 ms over new connections.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { SiteStatus } from "../src/cli/index.ts";
import { askProbe, startProber } from "../src/probe/index.ts";
import { signal as send } from "../src/world/index.ts";
import { TestDomus } from "../test/support/domus.ts";
import { eventually } from "../test/support/eventually.ts";
import { median, verdict } from "./verdict.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    freezes: { type: "string", default: "20" },
    idle: { type: "string", default: "0" },
    burners: { type: "string", default: String(availableParallelism() * 2) },
    json: { type: "boolean", default: false },
  },
});

/** The site, and who holds its alias now. */
class Stage {
  readonly domus = new TestDomus();

  async open(): Promise<void> {
    await this.domus.must("up", "sites/wiki.yaml", "--loopback", this.domus.loopback);
  }

  status(): Promise<SiteStatus> {
    return this.domus.json("status");
  }

  /** Waits until both directors are there and the alias is held. @returns the holder's name and process */
  async holder(): Promise<{ readonly name: string; readonly pid: number }> {
    const name = await eventually("the site is whole", async () => {
      const status = await this.status();
      return status.well && status.aliases[0]?.heldBy;
    });
    const shown = (await this.domus.json("guest", "show", name)) as { status: { instance: string } };
    return { name, pid: Number(shown.status.instance) };
  }

  /** @returns process of each director */
  async directors(): Promise<readonly string[]> {
    const names = (await this.status()).guests.filter((guest) => guest.service === "lvs").map((guest) => guest.name);
    const shown = await Promise.all(names.map((name) => this.domus.json("guest", "show", name)));
    return shown.map((one: { status: { instance: string } }) => one.status.instance);
  }

  /** @returns milliseconds without an answer, seen by a client */
  async strike(how: NodeJS.Signals): Promise<number> {
    const { name, pid } = await this.holder();
    const alias = (await this.status()).aliases[0]!;
    const probe = { kind: "http", port: alias.port, path: "/", status: 200, contains: null } as const;
    const prober = startProber({
      ask: askProbe(probe, alias.address, null, null),
      spacingMs: 5,
      timeoutMs: 5000,
      pauseMs: 10,
    });
    await prober.good(20);
    send(pid, how);
    await eventually("the other director holds the alias", async () => {
      const holder = (await this.status()).aliases[0]?.heldBy;
      return holder !== null && holder !== name;
    });
    await prober.good(20);
    return prober.stop().longestGapMs;
  }
}

function figures(gaps: readonly number[]) {
  const sorted = gaps.toSorted((a, b) => a - b);
  return { count: sorted.length, medianMs: Math.round(median(sorted)), maxMs: Math.round(sorted.at(-1) ?? 0) };
}

async function strikes(stage: Stage): Promise<void> {
  const results: Record<string, ReturnType<typeof figures>> = {};
  for (const [what, how, count] of [
    ["killed", "SIGKILL", Number(values.kills)],
    ["frozen", "SIGSTOP", Number(values.freezes)],
  ] as const) {
    const gaps: number[] = [];
    while (gaps.length < count) gaps.push(await stage.strike(how));
    if (count === 0) continue;
    results[what] = figures(gaps);
    const { medianMs, maxMs } = results[what];
    if (!values.json)
      console.log(
        `${what} ${count} times: without an answer median ${medianMs} ms, longest ${maxMs} ms  ${verdict(medianMs, 1000, "ms")}`,
      );
  }
  if (values.json) console.log(JSON.stringify(results));
}

async function idle(stage: Stage, seconds: number): Promise<void> {
  const before = await stage.holder();
  const directors = await stage.directors();
  const burn = () => spawn(process.execPath, ["-e", "for (;;) Math.sqrt(Math.random())"], { stdio: "ignore" });
  const burners: ChildProcess[] = Array.from({ length: Number(values.burners) }, burn);
  try {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  } finally {
    for (const burner of burners) burner.kill("SIGKILL");
  }
  // Nobody takes an alias without ending the other director first: the same two processes and the same holder mean that nobody did.
  const after = await stage.holder();
  const same = before.pid === after.pid && directors.join() === (await stage.directors()).join();
  const result = { seconds, burners: burners.length, falseTakeovers: same ? 0 : 1 };
  console.log(
    values.json
      ? JSON.stringify(result)
      : `${seconds} s with ${result.burners} burners: ${same ? "no false takeover" : "a false takeover"}`,
  );
  if (!same) process.exitCode = 1;
}

const stage = new Stage();
try {
  await stage.open();
  if (Number(values.idle) > 0) await idle(stage, Number(values.idle));
  else await strikes(stage);
} finally {
  await stage.domus.destroy();
}
