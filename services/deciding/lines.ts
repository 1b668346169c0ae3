/** Pieces of the lines and answers that are put together by hand, because every decision writes one of each. */
import { Names } from "../../src/grid/index.ts";

const quotes = new Names<string>((text) => JSON.stringify(text));

/** @returns the text as JSON writes it, for lines that are put together */
export function quote(text: string): string {
  return quotes.get(text);
}

let lastMillisecond = Number.NaN;
let lastText = "";

/** @returns now, as `Date.prototype.toISOString` writes it, between quotation marks */
export function quotedNow(): string {
  const now = Date.now();
  if (now !== lastMillisecond) {
    lastMillisecond = now;
    lastText = `"${new Date(now).toISOString()}"`;
  }
  return lastText;
}
