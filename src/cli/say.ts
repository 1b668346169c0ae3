/** How the command line speaks: plain lines and tables, colours only on a terminal, JSON when a machine listens. */
import { styleText } from "node:util";
import { Fault } from "../model/index.ts";

export type Style = "bold" | "dim" | "green" | "red" | "yellow" | "cyan";

/** Colours a text when the stream is a terminal that wants colours. */
export function paint(style: Style | readonly Style[], text: string): string {
  return styleText(style as Style, text, { stream: process.stdout, validateStream: true });
}

export function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function sayJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Length on the screen, colours not counted. */
function width(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with ESC
  return text.replace(/\u001b\[[0-9;]*m/g, "").length;
}

/** @returns lines with columns aligned; the last column is never padded. */
export function table(rows: readonly (readonly string[])[], indent = "  "): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => width(row[column] ?? ""))),
  );
  return rows.map((row) =>
    `${indent}${row.map((cell, column) => (column === row.length - 1 ? cell : cell + " ".repeat(widths[column]! - width(cell)))).join("  ")}`.trimEnd(),
  );
}

/** @returns the text without what would command a terminal: names and words of other people are in it. */
function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins a command to the terminal
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** Prints a fault: what is so, and what to do. @returns its exit status */
export function complainFault(fault: Fault, json: boolean): number {
  if (json) sayJson({ error: { code: fault.code, says: fault.message, remedy: fault.remedy } });
  else {
    complain(`${paint("red", "✗")} ${harmless(fault.message)}`);
    if (fault.remedy) complain(`  ${harmless(fault.remedy)}`);
  }
  return fault.exit;
}

/** Whatever is no Fault is a defect of Domus: one sentence, and the way to tell us more. */
export function complainDefect(error: unknown, json: boolean): number {
  const says = error instanceof Error ? error.message : String(error);
  if (process.env.DOMUS_DEBUG && error instanceof Error) complain(error.stack ?? "");
  if (json)
    sayJson({ error: { code: "defect", says, remedy: "Run again with DOMUS_DEBUG=1 and report what it prints." } });
  else
    complain(
      `${paint("red", "✗")} defect in Domus: ${harmless(says)}\n  Run again with DOMUS_DEBUG=1 and report what it prints.`,
    );
  return 3;
}

/** @returns the milliseconds as people read them: `8 ms`, `1.2 s`, `3 min`. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.round(milliseconds / 60_000)} min`;
}

export { Fault };
