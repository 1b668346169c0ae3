/** `domus files`: grid-mapfiles, ban files and the like, as GUMS makes them: shown, written once, or kept up to date. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { Fault, type FaultCode } from "../../model/index.ts";
import { FILE_FORMATS } from "../../policy/index.ts";
import { writeFileDurably } from "../../world/index.ts";
import { aliasOfRecipe, askText, askThrough, requireAnswer } from "../calls.ts";
import { chooseSite, type OpenSite, openState } from "../open.ts";
import { complain, paint, say, sayJson, table } from "../say.ts";

interface FilesFlags {
  readonly host: string;
  readonly issuer?: string;
  readonly only?: string;
  readonly to?: string;
  readonly watch?: boolean;
  readonly site?: string;
  readonly json?: boolean;
}

interface Listed {
  readonly name: string;
  readonly description: string;
  readonly sha256: string;
  readonly octets: number;
  readonly leftOut: readonly { readonly name: string; readonly says: string; readonly loud: boolean }[];
}

/** Milliseconds between two looks of `--watch`: a ban is in the files within a second. */
const EVERY = 300;
/** What passes by itself: `--watch` waits for it. */
const PASSING: readonly FaultCode[] = ["alias.silent", "service.unable"];
const NAMES = FILE_FORMATS.map((format) => format.name);

export function addFiles(program: Command): void {
  program
    .command("files")
    .summary("grid-mapfile, ban files and others, for software that reads files")
    .description(
      "GUMS's answers as files: people, groups, pool accounts that were given, and the bans. Without a name: what there is, and what a file cannot say. With a name: that file. With --to: writes them into a directory, each whole or not at all.",
    )
    .argument("[name]", NAMES.join(", "))
    .option("--host <name>", "the host that will read them", "fnpc1.example.org")
    .option("--issuer <address>", "for scitokens.json: the token issuer, when the policy names several")
    .option("--to <directory>", "write them there")
    .option("--only <names>", "with --to: only these, with commas between")
    .option("--watch", "with --to: stay, and write what changes within a second")
    .option("--site <name>", "which site, when several are known")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExamples:\n  domus files grid-mapfile --host fnpc1.example.org\n  domus files --to /etc/grid-security --only grid-mapfile,ban-dn.db --watch",
    )
    .action(async (name: string | undefined, flags: FilesFlags) => {
      const wanted = wantedNames(name, flags);
      const open = await openState(chooseSite(flags.site));
      try {
        if (flags.to !== undefined) await write(open, wanted, flags.to, flags);
        else if (name !== undefined) await show(open, name, flags);
        else await list(open, flags);
      } finally {
        await open.close();
      }
    });
}

function wantedNames(name: string | undefined, flags: FilesFlags): readonly string[] {
  if (flags.to === undefined && (flags.watch || flags.only !== undefined))
    throw new Fault("usage.invalid", { reason: "--watch and --only go with --to", help: "domus files --help" });
  if (name !== undefined && flags.only !== undefined)
    throw new Fault("usage.invalid", { reason: `either ${name} or --only`, help: "domus files --help" });
  const wanted = name === undefined ? (flags.only?.split(",").map((one) => one.trim()) ?? NAMES) : [name];
  const unknown = wanted.find((one) => !NAMES.includes(one));
  if (unknown !== undefined)
    throw new Fault("usage.invalid", {
      reason: `no file is called ${unknown}; there are: ${NAMES.join(", ")}`,
      help: "domus files --help",
    });
  return wanted;
}

function query({ host, issuer }: FilesFlags): string {
  return new URLSearchParams({ host, ...(issuer === undefined ? {} : { issuer }) }).toString();
}

async function listed(open: OpenSite, flags: FilesFlags): Promise<readonly Listed[]> {
  const alias = await aliasOfRecipe(open, "gums");
  const body = requireAnswer(await askThrough(open, alias, "GET", `/gums/json/files?${query(flags)}`));
  return body.files as readonly Listed[];
}

async function list(open: OpenSite, flags: FilesFlags): Promise<void> {
  const files = await listed(open, flags);
  if (flags.json) {
    sayJson({ host: flags.host, files });
    return;
  }
  say(`Files for ${flags.host}:`);
  for (const line of table(
    files.map(({ name, octets, description }) => [paint("bold", name), `${octets} octets`, description]),
  ))
    say(line);
  for (const { name, leftOut } of files) tellLeftOut(name, leftOut);
}

function tellLeftOut(file: string, leftOut: Listed["leftOut"]): void {
  for (const { name, says, loud } of leftOut)
    complain(`${paint(loud ? "red" : "yellow", loud ? "✗" : "!")} ${file}: ${name}: ${says}`);
}

async function textOf(open: OpenSite, name: string, flags: FilesFlags): Promise<string> {
  const alias = await aliasOfRecipe(open, "gums");
  const { status, body } = await askText(open, alias, `/gums/files/${name}?${query(flags)}`);
  if (status !== 200) requireAnswer({ status, body: { message: `${name}: status ${status}` } });
  return body;
}

async function show(open: OpenSite, name: string, flags: FilesFlags): Promise<void> {
  const text = await textOf(open, name, flags);
  const file = (await listed(open, flags)).find((one) => one.name === name);
  if (flags.json) sayJson({ name, text, leftOut: file?.leftOut ?? [] });
  else {
    process.stdout.write(text);
    tellLeftOut(name, file?.leftOut ?? []);
  }
}

function present(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new Fault("site.unreadable", { file: path, reason: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}

/** One level only: a mistyped path is said instead of made. @throws Fault `request.refused` */
function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    throw new Fault("request.refused", {
      reason: `the directory ${directory} cannot be made (${code})`,
      remedy: "Make it, or name one that is there.",
    });
  }
}

/** @throws Fault `request.refused` when it cannot be written there */
function put(path: string, text: string): void {
  try {
    writeFileDurably(path, text, 0o644);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault("request.refused", {
      reason: `${path} cannot be written: ${error.message}`,
      remedy: "Its old content is as it was. See the directory's permissions and space.",
    });
  }
}

async function write(open: OpenSite, wanted: readonly string[], directory: string, flags: FilesFlags): Promise<void> {
  // Other users' programs read them: who may is the directory's matter.
  process.umask(0o022);
  makeDirectory(directory);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const known = new Map<string, string>();
  let silent = "";
  do {
    try {
      const files = await listed(open, flags);
      for (const { name, sha256, leftOut } of files) {
        if (!wanted.includes(name) || known.get(name) === sha256) continue;
        const text = await textOf(open, name, flags);
        const path = join(directory, name);
        const changed = present(path) !== text;
        if (changed) put(path, text);
        known.set(name, sha256);
        if (flags.json) sayJson({ file: path, changed, sha256, leftOut });
        else {
          if (changed || !flags.watch) say(`${path} ${changed ? "is written" : "is as it should be"}`);
          tellLeftOut(name, leftOut);
        }
      }
      if (silent !== "") complain(`${paint("green", "●")} GUMS answers again`);
      silent = "";
    } catch (error) {
      // What is written stays: yesterday's file is better than none, and half of one is worse than both.
      if (!flags.watch || !(error instanceof Fault) || !PASSING.includes(error.code)) throw error;
      if (silent === "") complain(`${paint("yellow", "!")} ${error.message}: the files stay as they are`);
      silent = error.message;
    }
    if (flags.watch) await pause(EVERY, undefined, { signal: stop.signal }).catch(() => {});
  } while (flags.watch && !stop.signal.aborted);
}
