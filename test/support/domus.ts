/** Domus as a user has it: the program, a state directory of its own, and a loopback network that no other test uses. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostDirectory, SUPERVISOR_TAG } from "../../src/hypervisor/index.ts";
import { findTagged, signal } from "../../src/world/index.ts";

export const HOUSE = join(import.meta.dirname, "../..");

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let networks = 0;

export class TestDomus {
  readonly state: string;
  readonly loopback: string;

  /** @param state directory to use; one of its own when nothing is said */
  constructor(state = mkdtempSync(join(tmpdir(), "dt-"))) {
    this.state = state;
    const number = networks++;
    this.loopback = `127.${128 + (process.pid % 100)}.${(Math.floor(process.pid / 100) + number) % 250}.0/24`;
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, DOMUS_STATE: this.state, NO_COLOR: "1", FORCE_COLOR: undefined };
  }

  /** Starts a program of the house and does not wait. */
  start(program: "domus" | "domus-lab", words: readonly string[]): ChildProcess {
    return spawn(join(HOUSE, "bin", program), [...words], {
      cwd: HOUSE,
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Runs a program of the house to its end. */
  run(program: "domus" | "domus-lab", ...words: readonly string[]): Promise<Ran> {
    const child = this.start(program, words);
    return ended(child);
  }

  domus(...words: readonly string[]): Promise<Ran> {
    return this.run("domus", ...words);
  }

  /** @throws Error with everything it printed when it does not end well */
  async must(...words: readonly string[]): Promise<Ran> {
    const ran = await this.domus(...words);
    if (ran.code !== 0) throw new Error(`domus ${words.join(" ")}: exit ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
    return ran;
  }

  // biome-ignore lint/suspicious/noExplicitAny: what a command prints is checked by what a test expects of it
  async json(...words: readonly string[]): Promise<any> {
    const ran = await this.domus(...words, "--json");
    try {
      return JSON.parse(ran.stdout);
    } catch {
      throw new Error(`domus ${words.join(" ")} --json: exit ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
    }
  }

  async lab(action: "cut" | "heal", host: string): Promise<void> {
    const ran = await this.run("domus-lab", action, host);
    if (ran.code !== 0) throw new Error(`domus-lab ${action} ${host}: exit ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
  }

  /** The directories of every host of every site under this state. */
  hostDirectories(): readonly HostDirectory[] {
    const found: HostDirectory[] = [];
    for (const site of existsSync(this.state) ? readdirSync(this.state) : []) {
      const hosts = join(this.state, site, "hosts");
      for (const host of existsSync(hosts) ? readdirSync(hosts) : []) found.push(new HostDirectory(join(hosts, host)));
    }
    return found;
  }

  /** Process ids of everything that runs for this state: supervisors first. */
  processes(): readonly number[] {
    return this.hostDirectories().flatMap((directory) => [
      ...findTagged(SUPERVISOR_TAG, `${directory.key}/`).map((one) => one.pid),
      ...directory.processes().map((one) => one.pid),
    ]);
  }

  /** Ends everything and removes the state, whatever happened before. */
  async destroy(): Promise<void> {
    for (let left = this.processes(); left.length > 0; left = this.processes()) {
      for (const pid of left) signal(pid, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    rmSync(this.state, { recursive: true, force: true });
  }
}

/** @returns what a process printed and how it ended; a signal counts as -1 */
export function ended(child: ChildProcess): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}
