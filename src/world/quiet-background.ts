/**
 * The loop goes first. A guest may have one processor, and Node keeps eight threads beside the loop: collectors and compilers of V8, and the
 * pool that flushes and compresses files. To the kernel they are the loop's equals: once they have work, each takes a whole slice (4 ms) while
 * hundreds of calls wait. So they get the least priority: they work when the loop rests, and a twentieth of the time when it does not.
 *
 * The loop must not wait for threads that now stand behind others: young objects are collected by itself alone. And whole collections come when
 * the heap is three times what was left by the last one, in place of one and a half times beside so small a heap, which was several times a
 * second in a flood: each is 3 to 10 milliseconds.
 *
 * Young objects live in a small room ({@link QUIET_START}): what outlives a collection is moved while everybody waits, and in a flood of new
 * connections that is 10 to 15 ms of moving in the 16 MB that V8 takes by itself. It is 2 in 2 MB; in 4 MB others waited up to twice as long. The
 * price is that a call which makes much garbage (XACML) takes a tenth more of the processor.
 *
 * Tried and not taken: one thread for all collections (whole ones then take 8 to 10 ms), a larger first heap (forgotten at the first collection).
 */
import { readdir } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { setFlagsFromString } from "node:v8";

/** Arguments with which Node is to start: the rooms of the heap are laid out before a program's first line. */
export const QUIET_START: readonly string[] = ["--max-semi-space-size=2"];

/** Flags that V8 reads at each collection; one that it no longer knows is no fault. */
const FLAGS = ["--no-parallel-scavenge", "--heap-growing-percent=200"];
/** Threads of this process. proc(5) */
const THREADS = "/proc/self/task";

/** To be called at a program's start: threads that come later are the loop's equals again. @returns how many threads stand behind now */
export async function quietBackground(): Promise<number> {
  for (const flag of FLAGS) setFlagsFromString(flag);
  // The first use of the pool makes its threads: this reading is one. Where the system has no such directory, they stay equals.
  const threads = (await readdir(THREADS).catch(() => [])).map(Number);
  return threads.filter((thread) => thread !== process.pid && putBehind(thread)).length;
}

function putBehind(thread: number): boolean {
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW);
    return true;
  } catch {
    // It has just ended, or has less priority still.
    return false;
  }
}
