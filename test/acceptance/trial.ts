/** A small site with a front end and a service of its own that can be spoiled, one copy at a time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestDomus } from "../support/domus.ts";

export type Mood = "well" | "wrong" | `slow ${number}` | `turns ${number}` | "broken" | `dies ${number}`;

export class Trial {
  readonly domus = new TestDomus();
  readonly site = "trial";
  readonly file: string;
  readonly #moods: string;

  /** @param more keys of the service, and of the site, as they stand in a site file */
  constructor({ service = "", site = "" }: { readonly service?: string; readonly site?: string } = {}) {
    this.#moods = join(this.domus.state, "moods");
    mkdirSync(this.#moods);
    this.file = join(this.domus.state, "trial.yaml");
    const program = [process.execPath, join(import.meta.dirname, "web.mjs"), "{address}", this.#moods];
    writeFileSync(
      this.file,
      `site: ${this.site}
hosts:
  - { name: one, prefix: onex, cpus: 4, memory: 8 GiB }
  - { name: two, prefix: twox, cpus: 4, memory: 8 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby }
  web:
    command: ${JSON.stringify(program)}
    strategy: active-active
    alias: { name: web, port: 8080 }
    probe: { http: /, port: 8080, contains: the right answer }
    memory: 128 MiB
${service}
${site}
`,
    );
  }

  async up(): Promise<void> {
    await this.domus.must("up", this.file, "--loopback", this.domus.loopback);
  }

  /** The copies of the service are `onex1` and `twox1`. */
  spoil(guest: string, mood: Mood): void {
    writeFileSync(join(this.#moods, guest), mood);
  }

  async close(): Promise<void> {
    await this.domus.destroy();
  }
}
