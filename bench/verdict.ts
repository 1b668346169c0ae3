/** What every benchmark says of a promise, in one place: kept or broken, and the gate for CI at three times the promise. */

/** Machines of CI are small, noisy and shared. */
const GATE = 3;

/**
 * @param measured median, in the unit of the promise
 * @returns the words to print; beyond the gate the process ends with 1
 */
export function verdict(measured: number, promise: number, unit: string): string {
  if (measured > GATE * promise) process.exitCode = 1;
  return `promised < ${promise} ${unit}: ${measured < promise ? "kept" : "BROKEN"}`;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Below this part of a promise that something is at least so much, CI fails. */
const FLOOR = 1 / 2;

/**
 * @param measured median, in the unit of the promise; more is better
 * @returns the words to print; below the floor the process ends with 1
 */
export function atLeast(measured: number, promise: number, unit: string): string {
  if (!(measured >= FLOOR * promise)) process.exitCode = 1;
  return `promised ≥ ${promise} ${unit}, floor ${FLOOR * promise}: ${measured >= promise ? "kept" : "BROKEN"}`;
}

/**
 * @param measured median, in the unit of the promise; less is better
 * @returns the words to print; when it is not even half as good as promised the process ends with 1
 */
export function atMost(measured: number, promise: number, unit: string): string {
  if (!(measured <= promise / FLOOR)) process.exitCode = 1;
  return `promised ≤ ${promise} ${unit}, floor ${promise / FLOOR}: ${measured <= promise ? "kept" : "BROKEN"}`;
}
