/** Small sites whose copies have one fault each, and a site under test as the command has it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subject } from "../../src/acceptance/index.ts";
import { type OpenSite, openState } from "../../src/cli/open.ts";
import { subjectOf } from "../../src/cli/subject.ts";
import type { SiteName } from "../../src/model/index.ts";
import type { TestDomus } from "../support/domus.ts";

/** Answers for as long as it runs. Whatever is put in front decides whether it does, and `well()` what it says. */
const serving = (fault: string): string => `
const fs = require("node:fs"), http = require("node:http"), path = require("node:path");
const { DOMUS_ADDRESS: address, DOMUS_DATA: data, DOMUS_GUEST: guest, SHARED: shared } = process.env;
let well = () => true;
${fault}
http.createServer((_, answer) => {
  answer.statusCode = well() ? 200 : 500;
  answer.end(well() ? "good" : "bad");
}).listen(8080, address);
`;

/** How often this guest was started is in its data, which stays when its power is taken. */
const COUNT_STARTS = `
const starts = Number(fs.existsSync(path.join(data, "starts")) ? fs.readFileSync(path.join(data, "starts"), "utf8") : 0) + 1;
fs.writeFileSync(path.join(data, "starts"), String(starts));
`;

export const FAULTS = {
  none: "",
  /** It runs once and never again. */
  refuses: `${COUNT_STARTS} if (starts > 1) { console.error("the disk is broken"); process.exit(1); }`,
  /** From its second start on it dies soon after it has begun to answer. */
  flaps: `${COUNT_STARTS} if (starts > 1) setTimeout(() => process.exit(1), 1500);`,
  /** It answers only while every other copy lives: a pair in name, one machine's death is the death of both. */
  leans: `
fs.writeFileSync(path.join(shared, guest), String(process.pid));
const lives = (pid) => { try { process.kill(pid, 0); return true; } catch { return false; } };
well = () => fs.readdirSync(shared).every((name) => lives(Number(fs.readFileSync(path.join(shared, name), "utf8"))));`,
} as const;

export interface Wish {
  readonly fault?: keyof typeof FAULTS;
  /** What the site file promises. */
  readonly objectives: string;
  /** Directory that all copies see. */
  readonly shared?: string;
}

function app({ fault = "none", shared = "/" }: Wish): string {
  const command = JSON.stringify([process.execPath, "{root}/app.cjs"]);
  const files = JSON.stringify({ "/app.cjs": serving(FAULTS[fault]) });
  return `probe: { http: /, port: 8080, contains: good }, command: ${command}, files: ${files}, environment: { SHARED: ${JSON.stringify(shared)} }`;
}

/** Two hosts, a front end, two copies of one program. */
export const pairSite = (wish: Wish): string => `
site: pair
objectives: ${wish.objectives}
hosts:
  - { name: north, prefix: n, cpus: 4, memory: 8 GiB, reserve: 1 GiB }
  - { name: south, prefix: s, cpus: 4, memory: 8 GiB, reserve: 1 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby }
  app: { strategy: active-active, alias: { name: app, port: 8080 }, ${app(wish)} }
`;

/** One host, one copy, no front end: nobody can take over anything. */
export const loneSite = (wish: Wish): string => `
site: lone
objectives: ${wish.objectives}
hosts:
  - { name: solo, prefix: solo, cpus: 4, memory: 8 GiB, reserve: 1 GiB }
services:
  app: { strategy: single, ${app(wish)} }
`;

/** Brings a site up. @returns its name */
export async function bringUp(domus: TestDomus, text: string): Promise<SiteName> {
  const file = join(domus.state, "site.yaml");
  writeFileSync(file, text);
  await domus.must("up", file, "--loopback", domus.loopback);
  return /^site: (\S+)$/m.exec(text)![1] as SiteName;
}

/** The site as the command `accept` has it, in this process. */
export async function withSubject<T>(
  domus: TestDomus,
  name: SiteName,
  signal: AbortSignal,
  work: (subject: Subject, open: OpenSite) => Promise<T>,
): Promise<T> {
  process.env.DOMUS_STATE = domus.state;
  const open = await openState(name);
  try {
    return await work(await subjectOf(open, () => {}, signal), open);
  } finally {
    await open.close();
  }
}
