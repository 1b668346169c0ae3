/** How the findings of failover are worded. Pure. */

/** @param seconds such as 0.314 → `0.31 s`; from ten on without a hundredth */
export const inSeconds = (seconds: number): string => `${seconds >= 10 ? seconds.toFixed(1) : seconds.toFixed(2)} s`;

/** @param share 0 to 1 → `0.4 %` */
export const inPercent = (share: number): string => `${Number((share * 100).toPrecision(2))} %`;

/** `1 call`, `2 calls`, `1,234 calls` */
export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString("en-GB")} ${noun}${count === 1 ? "" : "s"}`;

/** `a`, `a and b`, `a, b and c` */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
