/** Words of options → values, refused in one sentence when they are wrong. */
import { Fault, parseDuration, parseNetwork, parseSize } from "../model/index.ts";

function refuse(option: string, expected: string, found: string): never {
  throw new Fault("usage.invalid", { reason: `${option} expects ${expected}, found ${JSON.stringify(found)}` });
}

/** @returns a whole number within bounds */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    refuse(option, `a whole number from ${least} to ${most}`, text);
  return value;
}

/** @returns seconds of `30s`, `5 min`, `250ms` */
export function seconds(option: string, text: string): number {
  const value = parseDuration(text);
  if (value === null || value <= 0 || value > 7 * 86_400) refuse(option, "a time like 30s or 5min", text);
  return value;
}

/** @returns 0 to 1 for `10%` or `0.1` */
export function share(option: string, text: string): number {
  const value = /^\d+(\.\d+)?%$/.test(text)
    ? Number(text.slice(0, -1)) / 100
    : /^(0(\.\d+)?|1(\.0+)?)$/.test(text)
      ? Number(text)
      : Number.NaN;
  if (!(value >= 0 && value <= 1)) refuse(option, "a share like 10%", text);
  return value;
}

/** @returns memory in bytes and processors of `2GiB,1cpu`, `512 MiB` (one processor) */
export function guestShape(option: string, text: string): { readonly memory: number; readonly cpus: number } {
  const match = /^\s*(\d[\d.]*\s*[A-Za-z]+)\s*(?:,\s*(\d+(?:\.\d+)?)\s*(?:cpus?)?\s*)?$/i.exec(text);
  const memory = match ? parseSize(match[1]!) : null;
  const cpus = Number(match?.[2] ?? 1);
  if (!memory || memory < 1024 ** 2 || !(cpus > 0 && cpus <= 1024)) refuse(option, "a guest like 2GiB,1cpu", text);
  return { memory, cpus };
}

/** @returns an IPv4 network as it was given, or `undefined` when none was */
export function network(option: string, text: string | undefined): string | undefined {
  const found = text === undefined ? null : parseNetwork(text);
  if (text !== undefined && (!found || found.bits < 8 || found.bits > 30))
    refuse(option, "a network like 127.9.9.0/24 (its first address, 8 to 30 bits)", text);
  return text;
}

/** The forms a moment may have; what is missing is today's, by this machine's clock and zone. */
const MOMENT = /^(?:(\d{4}-\d{2}-\d{2})(?:[T ]|$))?(?:(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * @param now milliseconds since the epoch; a bare time of day is its last occurrence
 * @param utc a moment without a zone is in UTC
 * @returns milliseconds since the epoch of `03:12`, `2026-11-20`, `2026-11-20 03:12`, `2026-11-20T03:12:00Z`
 */
export function moment(option: string, text: string, now: number, utc = false): number {
  const match = MOMENT.exec(text);
  const [, day, time, zone = utc ? "Z" : ""] = match ?? [];
  const today = new Date(now);
  const local = (date: Date): string =>
    utc
      ? date.toISOString().slice(0, 10)
      : `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
  const read = Date.parse(`${day ?? local(today)}T${time ?? "00:00"}${zone}`);
  if (match === null || text === "" || Number.isNaN(read))
    refuse(option, "a moment like 03:12, 2026-11-20 or 2026-11-20T03:12:00Z", text);
  return day === undefined && read > now ? read - 86_400_000 : read;
}

const DAY = 86_400_000;

/**
 * @param flags `--from` and `--to`; without them the last 24 hours
 * @returns milliseconds since the epoch
 * @throws Fault `usage.invalid`, also for a span that ends before it begins
 */
export function span(
  flags: { readonly from?: string; readonly to?: string },
  now: number,
): readonly [from: number, to: number] {
  const to = flags.to === undefined ? now : moment("--to", flags.to, now);
  const from = flags.from === undefined ? Math.min(now, to) - DAY : moment("--from", flags.from, now);
  if (from > to)
    throw new Fault("usage.invalid", {
      reason: `the time ends (${new Date(to).toISOString()}) before it begins (${new Date(from).toISOString()})`,
    });
  return [from, to];
}
