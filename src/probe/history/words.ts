/** History in words: the same in text and on the page. */
import type { Figures, Outage, Period } from "./history.ts";

/** How a day was, at one glance. */
export type DayLevel = "none" | "good" | "test" | "warn" | "bad";

/** Share below which a day was bad: a minute and a half without an answer in 24 hours. */
const BAD = 0.999;

export function levelOf({ looked, unanswered, tested, shareApart }: Figures): DayLevel {
  if (looked < 1) return "none";
  if (unanswered === 0) return "good";
  if (unanswered - tested < 0.001) return "test";
  return (shareApart ?? 1) >= BAD ? "warn" : "bad";
}

export const LEVELS: Readonly<Record<DayLevel, { readonly mark: string; readonly says: string }>> = {
  good: { mark: "■", says: "every look was answered" },
  warn: { mark: "▪", says: "up to a thousandth of the time without an answer" },
  bad: { mark: "✗", says: "more than that" },
  test: { mark: "t", says: "outages of acceptance tests only" },
  none: { mark: "·", says: "nobody looked" },
};

/** @returns `99.98 %`; never 100 when something is missing. */
export function percentText(share: number | null): string {
  if (share === null) return "–";
  if (share === 1) return "100 %";
  return `${(Math.floor(share * 1e5) / 1e3).toFixed(share >= 0.9999 ? 3 : 2)} %`;
}

/** @returns `0.9 s`, `17 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h` */
export function lengthText(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const parts: readonly (readonly [size: number, word: string])[] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = parts.findIndex(([size]) => whole >= size);
  const [size, word] = parts[first]!;
  const [smaller, smallerWord] = parts[first + 1] ?? [0, ""];
  const rest = smaller ? Math.floor((whole % size) / smaller) : 0;
  return `${Math.floor(whole / size)} ${word}${rest > 0 ? ` ${rest} ${smallerWord}` : ""}`;
}

/** @returns `2026-11-20: 99.98 %, 17 s without an answer in 2 outages; looked at for 3 h of 24 h` */
export function periodText(period: Period): string {
  const { name, looked, unanswered, tested, share, outages, from, to } = period;
  if (looked < 1) return `${name}: nobody looked`;
  const all = (to - from) / 1000;
  const bad =
    unanswered === 0
      ? ""
      : `, ${lengthText(unanswered)} without an answer${outages > 0 ? ` in ${outages} ${outages === 1 ? "outage" : "outages"}` : ""}${tested > 0 ? `, ${lengthText(tested)} of it in acceptance tests` : ""}`;
  // A minute more or less is nobody's news.
  const part = all - looked > 60 ? `; looked at for ${lengthText(looked)} of ${lengthText(all)}` : "";
  return `${name}: ${percentText(share)}${bad}${part}`;
}

/** What made it, and what was seen. */
export function outageText({ seconds, unseen, to, says, cause }: Outage): string {
  const length = `${lengthText(seconds)}${to === null ? " so far" : ""}`;
  const dark = unseen >= 1 ? `, and nobody looked for ${lengthText(unseen)} of it` : "";
  const why = cause.kind === "unknown" ? `cause not known: ${cause.says}` : cause.says;
  return `${length}${dark}: ${why}${cause.says === says ? "" : `; the probe said: ${says}`}`;
}

/** The worst first: the longest that no test made, then the tests' own. */
export function worstOf(outages: readonly Outage[], most: number): readonly Outage[] {
  return [...outages]
    .sort(
      (a, b) =>
        Number(a.cause.kind === "acceptance") - Number(b.cause.kind === "acceptance") ||
        b.seconds - a.seconds ||
        a.from - b.from,
    )
    .slice(0, most);
}
