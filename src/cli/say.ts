/** How the command line speaks: plain lines and tables, colours only on a terminal, JSON when a machine listens. */
import { styleText } from "node:util";
import { Fault } from "../model/index.ts";

export type Style = "bold" | "dim" | "green" | "red" | "yellow" | "cyan";

/** Colours a text when the stream is a terminal that wants colours. */
export function paint(style: Style | readonly Style[], text: string): string {
  return styleText(style as Style, text, { stream: process.stdout, validateStream: true });
}

/** What {@link paint} writes, or a character that commands a terminal or turns the order of reading round. */
const COMMANDS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins a command to the terminal
  /(\u001b\[(?:1|2|22|31|32|33|36|39)m)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** @returns the text without what would command a terminal, but for our own colours: names and words of other people are in every line */
function tame(text: string): string {
  const coloured = paint("bold", "") !== "";
  return text.replace(COMMANDS, (_command, colour?: string) => (coloured && colour ? colour : "\ufffd"));
}

export function say(line = ""): void {
  process.stdout.write(`${tame(line)}\n`);
}

export function complain(line: string): void {
  process.stderr.write(`${tame(line)}\n`);
}

/** Whoever read our output has gone (`| head`): what was begun is carried on, unheard. A disk that is full is another matter. */
export function carryOnUnheard(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      stream.write = () => true;
      if (stream !== process.stdout || error.code === "EPIPE") return;
      complain(`✗ the output cannot be written (${error.code ?? error.message})`);
      process.exit(3);
    });
}

/** The same value for a machine; what JSON would leave to command the terminal of somebody who looks is written as `\uXXXX`. */
export function sayJson(value: unknown): void {
  const text = JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (command) => `\\u${command.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  process.stdout.write(`${text}\n`);
}

/** Length on the screen, colours not counted. */
function width(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with ESC
  return text.replace(/\u001b\[[0-9;]*m/g, "").length;
}

/** @returns lines with columns aligned; the last column is never padded. A line end in a cell begins no line: a name could forge one. */
export function table(given: readonly (readonly string[])[], indent = "  "): readonly string[] {
  const rows = given.map((row) => row.map((cell) => cell.replace(/[\n\t]/g, "\ufffd")));
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => width(row[column] ?? ""))),
  );
  return rows.map((row) =>
    `${indent}${row.map((cell, column) => (column === row.length - 1 ? cell : cell + " ".repeat(widths[column]! - width(cell)))).join("  ")}`.trimEnd(),
  );
}

/** Prints a fault: what is so, and what to do. @returns its exit status */
export function complainFault(fault: Fault, json: boolean): number {
  if (json) sayJson({ error: { code: fault.code, says: fault.message, remedy: fault.remedy } });
  else {
    complain(`${paint("red", "✗")} ${fault.message}`);
    if (fault.remedy) complain(`  ${fault.remedy}`);
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
      `${paint("red", "✗")} defect in Domus: ${says}\n  Run again with DOMUS_DEBUG=1 and report what it prints.`,
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
