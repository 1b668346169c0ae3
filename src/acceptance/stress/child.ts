/** A program of this test as a child: lines in, lines out, its last words when it ends before its time. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Milliseconds that a child has to end by itself once its input has ended. */
const PATIENCE = 2000;

export class ChildEnded extends Error {
  override readonly name = "ChildEnded";
}

export class LineChild {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #program: string;
  readonly #lines: string[] = [];
  readonly #ended: Promise<void>;
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | null = null;
  /** How it ended; `null` while it has not. */
  #over: string | null = null;
  #words = "";

  /** @param program a file of this folder */
  constructor(program: "generator" | "bare") {
    this.#program = program;
    this.#child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, `${program}.ts`)],
      { stdio: ["pipe", "pipe", "pipe"], env: { PATH: process.env.PATH, LANG: "C.UTF-8" } },
    );
    const { stdin, stdout, stderr } = this.#child;
    this.pid = this.#child.pid ?? -1;
    stdin!.on("error", () => {});
    stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#words = `${this.#words}${text}`.slice(-2000);
    });
    createInterface({ input: stdout! }).on("line", (line) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      if (waiting) waiting.resolve(line);
      else this.#lines.push(line);
    });
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#over ??= how;
        this.#waiting?.reject(this.#failure(how));
        this.#waiting = null;
        resolve();
      };
      this.#child.once("error", (error) => end(error.message));
      this.#child.once("close", (code, signal) => end(signal ? `ended by ${signal}` : `ended with status ${code}`));
    });
  }

  send(message: unknown): void {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** @returns what it says next. @throws ChildEnded when it says nothing more */
  line(): Promise<string> {
    const next = this.#lines.shift();
    if (next !== undefined) return Promise.resolve(next);
    if (this.#over !== null) return Promise.reject(this.#failure(this.#over));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Ends its input, and so the child. */
  async close(): Promise<void> {
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE);
    await this.#ended;
    clearTimeout(timer);
  }

  #failure(how: string): ChildEnded {
    const words =
      this.#words
        .trim()
        .split("\n")
        .find((line) => /Error|error/.test(line)) ?? "it said nothing";
    return new ChildEnded(`the ${this.#program === "bare" ? "bare server" : "load generator"} ${how}: ${words.trim()}`);
  }
}
