/** Days as people count them: by the calendar of a time zone, so that one with a change of daylight saving has 23 or 25 hours. */
import { Fault } from "../../model/index.ts";
import type { Span } from "./spans.ts";

export interface Day extends Span {
  /** `2026-11-20`. */
  readonly date: string;
}

/** @returns the zone of this machine, as `TZ` or the system says: `Europe/Berlin` */
export function zoneHere(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function dateOf(at: number, zone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(at)).toZonedDateTimeISO(zone).toPlainDate();
}

/** Midnight, or the first moment of a day that has none. */
function beginOf(date: Temporal.PlainDate, zone: string): number {
  return date.toZonedDateTime({ timeZone: zone }).epochMilliseconds;
}

/**
 * @param from milliseconds since the epoch
 * @param to the end, not included
 * @returns every day that has a moment of that time, whole
 * @throws Fault `usage.invalid` for a zone that nobody knows
 */
export function daysOf(from: number, to: number, zone: string): readonly Day[] {
  try {
    const days: Day[] = [];
    const last = Math.max(from, to - 1);
    let date = dateOf(from, zone);
    for (let begin = beginOf(date, zone); begin <= last; ) {
      const next = date.add({ days: 1 });
      const end = beginOf(next, zone);
      days.push({ date: date.toString(), from: begin, to: end });
      date = next;
      begin = end;
    }
    return days;
  } catch (error) {
    if (error instanceof RangeError) throw new Fault("usage.invalid", { reason: `no time zone is called ${zone}` });
    throw error;
  }
}

/** @returns the beginning of the day that is so many days before the one with this moment; 0: of that day itself */
export function dayBefore(at: number, days: number, zone: string): number {
  return beginOf(dateOf(at, zone).subtract({ days }), zone);
}

/** @returns `2026-11-20 03:12:07` by the zone's clock */
export function wallClock(at: number, zone: string): string {
  const there = Temporal.Instant.fromEpochMilliseconds(Math.floor(at)).toZonedDateTimeISO(zone);
  return `${there.toPlainDate()} ${there.toPlainTime().toString({ smallestUnit: "second" })}`;
}
