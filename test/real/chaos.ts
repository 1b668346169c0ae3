/**
 * A seeded killer among the documents' site, for about ninety seconds, under load and with the processors busy: it kills and freezes
 * supervisors, directors, services, agents and database servers, alone and in pairs. Afterwards everything is whole without anybody's
 * help but a supervisor's own restart (it stands for hardware), nothing runs twice, nothing is left over, and every ban that was
 * answered is in force. `DOMUS_CHAOS_SEED` repeats a run, `DOMUS_CHAOS_SECONDS` makes it longer. Run by `npm run chaos`: what it does is
 * different each time, so it is no gate for a change.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { after, describe, it } from "node:test";
import { type HostDirectory, SUPERVISOR_TAG } from "../../src/hypervisor/index.ts";
import { findTagged, type ProcessEntry, readProcess, signal } from "../../src/world/index.ts";
import { ended, TestDomus } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";

const SITE = "sites/fermigrid-ha.yaml";
const SECONDS = Number(process.env.DOMUS_CHAOS_SECONDS ?? 90);
const SEED = Number(process.env.DOMUS_CHAOS_SEED ?? Date.now() % 1_000_000);
/** Open files of a process that has nothing to do, at most: a leak of one for each fault would be seen. */
const FILES = 120;
/** Resident bytes of a program of the house that has nothing to do, at most. */
const MEMORY = 400 * 1024 * 1024;

/** mulberry32: small, seeded, good enough to choose victims. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Victim {
  readonly name: string;
  readonly supervisor: boolean;
  readonly process: ProcessEntry;
}

const supervisorsOf = (directory: HostDirectory) => findTagged(SUPERVISOR_TAG, `${directory.key}/`);

/** Everything of the site that runs: a supervisor for each host, each guest's leader, and what it has started (mariadbd). */
function victims(domus: TestDomus): readonly Victim[] {
  return domus.hostDirectories().flatMap((directory) => [
    ...supervisorsOf(directory).map((process) => ({ name: `supervisor ${directory.path}`, supervisor: true, process })),
    ...directory.processes().map((process) => ({
      name: `${process.tag.split("/")[1]}${process.pid === process.session ? "" : " (server)"}`,
      supervisor: false,
      process,
    })),
  ]);
}

/** @returns what is wrong with the processes, nothing when each guest runs once and whole */
function census(domus: TestDomus, guests: readonly string[]): readonly string[] {
  const wrong: string[] = [];
  const counted = new Map<string, number>();
  for (const directory of domus.hostDirectories()) {
    const supervisors = supervisorsOf(directory).length;
    if (supervisors !== 1) wrong.push(`${supervisors} supervisors in ${directory.path}`);
    for (const one of directory.processes()) {
      const name = one.tag.split("/")[1]!;
      counted.set(name, (counted.get(name) ?? 0) + 1);
      if (one.state === "T") wrong.push(`${name} is stopped`);
    }
  }
  for (const name of guests) {
    // The agent and its mariadbd; every other guest is one process.
    const expected = name.endsWith("x4") ? 2 : 1;
    if (counted.get(name) !== expected) wrong.push(`${counted.get(name) ?? 0} processes of ${name}`);
    counted.delete(name);
  }
  for (const name of counted.keys()) wrong.push(`${name} is no guest of the site`);
  return wrong;
}

describe(`chaos, seed ${SEED}`, { timeout: (SECONDS + 300) * 1000 }, () => {
  const domus = new TestDomus();
  const burners: ChildProcess[] = [];
  after(async () => {
    for (const burner of burners) burner.kill("SIGKILL");
    await domus.destroy();
  });

  it("leaves the site whole", async () => {
    const next = random(SEED);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
    const words = ["up", SITE, "--loopback", domus.loopback];
    await domus.must(...words);
    const guests: string[] = (await domus.json("status")).guests.map((guest: { name: string }) => guest.name);
    assert.equal(guests.length, 10);
    for (let number = 0; number < availableParallelism(); number++)
      burners.push(spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }));
    const load = ended(
      domus.start("domus", ["load", "saz", "--for", `${SECONDS}s`, "--rate", "20", "--writes", "10%", "--json"]),
    );

    const story: string[] = [];
    const bans: string[] = [];
    let over = false;
    const banning = (async () => {
      for (let number = 0; !over; number++) {
        const value = `/DC=org/DC=fermigrid/OU=People/CN=Chaos ${number}`;
        if ((await domus.domus("ban", value)).code === 0) bans.push(value);
      }
    })();
    const thaws: Promise<void>[] = [];
    const strike = (victim: Victim): void => {
      const { pid, startedAt } = victim.process;
      const freeze = next() < 0.35;
      story.push(`${freeze ? "freeze" : "kill"} ${victim.name}`);
      signal(pid, freeze ? "SIGSTOP" : "SIGKILL");
      if (!freeze) return;
      const thawed = new Promise<void>((resolve) => setTimeout(resolve, next() * 4000)).then(() => {
        if (readProcess(pid)?.startedAt === startedAt) signal(pid, "SIGCONT");
      });
      thaws.push(thawed);
    };
    const end = performance.now() + SECONDS * 1000;
    while (performance.now() < end) {
      const all = victims(domus);
      if (all.length > 0) for (let count = 1 + Math.floor(next() * 2); count > 0; count--) strike(pick(all));
      // Hardware comes back by itself: whoever finds a supervisor missing starts it, while its guests may be dying.
      const missing = domus.hostDirectories().some((directory) => supervisorsOf(directory).length === 0);
      if (missing && next() < 0.7) {
        story.push("up");
        await Promise.race([domus.domus(...words), new Promise((resolve) => setTimeout(resolve, next() * 3000))]);
      }
      await new Promise((resolve) => setTimeout(resolve, next() * 1500));
    }
    over = true;
    await Promise.all([banning, ...thaws]);
    const report = await load;
    for (const burner of burners) burner.kill("SIGKILL");
    const told = () => `seed ${SEED}: ${story.join(", ")}`;

    // Whoever started `up` above may still be at work; the last one finds all supervisors there.
    await eventually("the supervisors are back", async () => (await domus.domus(...words)).code === 0, 120_000).catch(
      (error: Error) => assert.fail(`${error.message}; ${told()}`),
    );
    let wrong: readonly string[] = ["nothing was looked at"];
    await eventually(
      "every guest runs once and answers",
      async () => {
        wrong = census(domus, guests);
        if (wrong.length > 0) return false;
        const status = await domus.json("status");
        wrong = status.guests
          .filter(({ outcome }: { outcome: string }) => outcome !== "answers")
          .map(({ name, says }: { name: string; says: string }) => `${name}: ${says}`);
        return wrong.length === 0;
      },
      120_000,
    ).catch((error: Error) => assert.fail(`${error.message}: ${wrong.join("; ")}; ${told()}`));

    const kept = await eventually("the bans are shown", async () => (await domus.json("bans")).bans).catch(() => []);
    const values = new Set(kept.map(({ value }: { value: string }) => value));
    assert.ok(bans.length > 0, `no ban was answered; ${told()}`);
    assert.deepEqual(
      bans.filter((value) => !values.has(value)),
      [],
      `bans that were answered are gone; ${told()}`,
    );

    const before = new Map(victims(domus).map(({ process }) => [process.pid, process.startedAt]));
    const calm = await domus.json("load", "saz", "--calls", "200", "--rate", "50", "--writes", "10%");
    assert.equal(calm.lost, 0, JSON.stringify(calm.sentences));
    const all = victims(domus);
    assert.deepEqual(new Map(all.map(({ process }) => [process.pid, process.startedAt])), before, "nothing restarts");
    for (const { name, process } of all) {
      const files = readdirSync(`/proc/${process.pid}/fd`).length;
      assert.ok(files < FILES, `${name} holds ${files} files; ${told()}`);
      const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process.pid}/status`, "utf8"))?.[1]);
      assert.ok(resident * 1024 < MEMORY, `${name} holds ${resident} kB; ${told()}`);
    }
    const { answered, lost } = JSON.parse(report.stdout) as { answered: number; lost: number };
    assert.ok(answered > 0);
    console.log(
      `  seed ${SEED}: ${story.length} strikes; ${answered} calls answered, ${lost} lost; ${bans.length} bans kept`,
    );
  });
});
