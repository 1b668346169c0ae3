/**
 * One alias from little load to too much and back to three quarters: first clients that wait for their answers (what it can do at most, whatever it
 * takes), then a ramp of calls that do not, up to where the objectives break; the space between is halved; then the mark is held for as long as
 * there is time, because a limit found in seconds may not hold for minutes.
 */
import type { StressStep } from "../contract.ts";
import { between, kneeOf, lowestBroken, MARK } from "./judging.ts";
import { CLIENTS, RAMP, type Schedule } from "./schedule.ts";
import type { StepOrder, Stepper, Target } from "./steps.ts";

/** Steps below the lowest of the ramp, and above the highest, before it is given up. */
const MOST_FURTHER = 6;
/** From one step to the next above the ramp. */
const FURTHER = 1.2;
/** A step that answers less than this share has not broken by chance. */
const HOPELESS = 0.75;
/** Soaks that may break before the search for a limit that holds is given up. */
const SOAKS = 3;

export interface Climbed {
  readonly steps: readonly StressStep[];
  /** It was interrupted: what is there is what was reached. */
  readonly whole: boolean;
}

/** @param onStep told before each step what it will be */
export async function climb(
  stepper: Stepper,
  target: Target,
  schedule: Schedule,
  onStep: (order: StepOrder) => void,
): Promise<Climbed> {
  const steps: StressStep[] = [];
  const take = async (order: StepOrder): Promise<StressStep | null> => {
    onStep(order);
    const step = await stepper.step(target, order);
    if (step) steps.push(step);
    return step;
  };
  const open = (offered: number): StepOrder => ({
    kind: "open",
    connections: "new",
    offered: roundRate(offered),
    seconds: schedule.step,
  });
  const closed = (offered: number, connections: StepOrder["connections"], seconds: number): StepOrder => ({
    kind: "closed",
    connections,
    offered,
    seconds,
  });

  const whole = await (async (): Promise<boolean> => {
    await stepper.warmUp(target, schedule.warmUp);
    for (const clients of CLIENTS) if (!(await take(closed(clients, "new", schedule.closed)))) return false;
    const most = Math.max(1, ...steps.map(({ answeredPerSecond }) => answeredPerSecond));
    if (!(await ramp(most, take, open, steps))) return false;
    for (let tries = 0; tries < schedule.bisections; tries++) {
      const offered = between(steps);
      if (offered === null) break;
      if (!(await take(open(offered)))) return false;
    }
    for (let tries = 0; tries < SOAKS; tries++) {
      const knee = kneeOf(steps);
      if (knee === null) break;
      const seconds = tries === 0 ? schedule.soak : schedule.soak / 2;
      const soak = await take({ ...open(knee.offered * MARK), kind: "soak", seconds });
      if (!soak) return false;
      if (soak.kept) break;
    }
    if (schedule.kept > 0 && !(await take(closed(CLIENTS[1], "kept", schedule.kept)))) return false;
    return true;
  })();
  return { steps, whole };
}

const roundRate = (perSecond: number): number => Number(perSecond.toPrecision(4));

/** Raises the load until the objectives break. @returns false when it was interrupted */
async function ramp(
  most: number,
  take: (order: StepOrder) => Promise<StressStep | null>,
  open: (offered: number) => StepOrder,
  steps: readonly StressStep[],
): Promise<boolean> {
  const further = Array.from({ length: MOST_FURTHER }, (_, index) => RAMP.at(-1)! * FURTHER ** (index + 1));
  for (const share of [...RAMP, ...further]) {
    const step = await take(open(most * share));
    if (!step) return false;
    if (step.kept) continue;
    if (step.answeredPerSecond >= HOPELESS * step.offered && !(await take(open(most * share)))) return false;
    if (lowestBroken(steps) !== null) break;
  }
  // Not even the least load held: down, until one does.
  for (let offered = most * RAMP[0], tries = 0; kneeOf(steps) === null && tries < MOST_FURTHER; tries++) {
    offered /= 2;
    if (!(await take(open(offered)))) return false;
  }
  return true;
}
