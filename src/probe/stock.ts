/**
 * Clients that nobody here wrote, where they are installed: each asks once through an alias, as its users would, with a visitor's certificate. He
 * is a member of nothing, so the right answer to him may be a no, in the words that the client shows people.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatVomses } from "../grid/index.ts";
import { programPath, type TlsIdentity } from "../world/index.ts";

export interface StockQuestion {
  readonly address: string;
  readonly port: number;
  readonly tls: TlsIdentity;
  /** Of VOMS: an organization, and the name in the server's certificate. */
  readonly vo: string;
  readonly serverDn: string;
}

export interface StockAnswer {
  readonly client: string;
  /** Debian's package that has it. */
  readonly package: string;
  readonly installed: boolean;
  readonly right: boolean;
  readonly milliseconds: number;
  /** What it said last, in one line. */
  readonly says: string;
}

interface StockClient {
  readonly program: string;
  readonly package: string;
  /** By which recipe's alias it is asked. */
  readonly recipe: string;
  readonly words: (directory: string, question: StockQuestion) => readonly string[];
  /** What to say of a right answer, where the client's own words say little. */
  readonly says?: string;
  /** Whether what it said, and left, is what a right answer makes of it. */
  readonly right: (said: string, directory: string) => boolean;
}

/** Milliseconds: the Java client takes seconds to start on a busy machine. */
const PATIENCE = 60_000;

const vomsWords = (directory: string, { vo }: StockQuestion): readonly string[] => [
  ...["-voms", vo, "-cert", join(directory, "cert.pem"), "-key", join(directory, "key.pem")],
  ...["-out", join(directory, "proxy"), "-vomses", join(directory, "vomses")],
  ...["-certdir", join(directory, "certificates")],
];
const vomsRight = (said: string): boolean =>
  /Created proxy|Your proxy is valid until|User unknown to this VO/.test(said);

export const STOCK: readonly StockClient[] = [
  { program: "voms-proxy-init2", package: "voms-clients", recipe: "voms", words: vomsWords, right: vomsRight },
  { program: "voms-proxy-init3", package: "voms-clients-java", recipe: "voms", words: vomsWords, right: vomsRight },
  {
    program: "nordugridmap",
    package: "nordugrid-arc-nordugridmap",
    recipe: "gums",
    words: (directory) => ["-c", join(directory, "arc.conf")],
    says: "wrote a grid-mapfile",
    right: (said, directory) => existsSync(join(directory, "mapfile")) && !/ERROR/.test(said),
  },
];

/** @returns what came of each client of a recipe's alias; those that are not installed say so */
export async function askStock(recipe: string, question: StockQuestion): Promise<readonly StockAnswer[]> {
  const answers: StockAnswer[] = [];
  for (const client of STOCK.filter((one) => one.recipe === recipe)) answers.push(await ask(client, question));
  return answers;
}

async function ask(client: StockClient, question: StockQuestion): Promise<StockAnswer> {
  const about = { client: client.program, package: client.package };
  const program = programPath(client.program);
  if (program === null)
    return {
      ...about,
      installed: false,
      right: false,
      milliseconds: 0,
      says: `not installed (Debian: ${client.package})`,
    };
  const directory = mkdtempSync(join(tmpdir(), "domus-stock-"));
  try {
    furnish(directory, question);
    const began = performance.now();
    const said = await run(program, client.words(directory, question), directory);
    const milliseconds = performance.now() - began;
    const right = client.right(said, directory);
    return { ...about, installed: true, right, milliseconds, says: (right && client.says) || toldBy(said) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What the clients want to find: a certificate and key, authorities under the names they look for, `vomses`, ARC's configuration. */
function furnish(directory: string, { address, port, tls, vo, serverDn }: StockQuestion): void {
  const path = (name: string): string => join(directory, name);
  const put = (name: string, text: string): void => writeFileSync(path(name), text, { mode: 0o600 });
  put("cert.pem", tls.cert);
  put("key.pem", tls.key);
  put("vomses", formatVomses([{ alias: vo, host: address, port, dn: serverDn, vo }]));
  mkdirSync(path("certificates"));
  put("certificates/site.pem", tls.ca);
  // Clients look authorities up under a digest of the name: the one of today, and, in Java, the one before it.
  for (const way of ["-subject_hash", "-subject_hash_old"]) {
    const words = ["x509", "-in", path("certificates/site.pem"), "-noout", way];
    const name = execFileSync("openssl", words, { encoding: "utf8", timeout: PATIENCE }).trim();
    put(`certificates/${name}.0`, tls.ca);
  }
  const settings: Readonly<Record<string, string>> = {
    x509_host_cert: path("cert.pem"),
    x509_host_key: path("key.pem"),
    x509_cert_dir: path("certificates"),
    voms_method: "soap",
    cache_enable: "no",
    log_to_file: "no",
    loglevel: "5",
    gridmap: path("mapfile"),
    allow_empty_unixid: "yes",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  const source = `vomss://${address}:${port}/gums?/${vo}`;
  put("arc.conf", `[nordugridmap]\n${lines.join("")}[userlist:all]\nsource=${source}\noutfile=${path("mapfile")}\n`);
}

function run(program: string, words: readonly string[], home: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      program,
      [...words],
      { timeout: PATIENCE, env: { PATH: process.env.PATH, HOME: home, X509_CERT_DIR: join(home, "certificates") } },
      (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`),
    );
  });
}

/** Lines that say what came of it, by how they begin. */
const TELLING = /^(Error: |Created proxy|Your proxy is valid|.*User unknown to this VO)/;

/** The line that tells, or the last with words in it: a client prints dots while it makes a key. */
function toldBy(said: string): string {
  const lines = said.split("\n").map((line) => line.trim());
  const told = lines.find((line) => TELLING.test(line)) ?? lines.findLast((line) => /[A-Za-z]{3}/.test(line)) ?? "";
  return told.slice(0, 300);
}
