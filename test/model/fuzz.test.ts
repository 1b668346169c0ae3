/**
 * Any text is a Site or a list of mistakes, soon, and nothing in a mistake commands a terminal; what reads well can be planned, and its
 * Blueprint breaks no rule.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { canonicalJson, emptyInventory, formatDiagnostic, readSite, type Site } from "../../src/model/index.ts";
import { lintBlueprint, plan } from "../../src/planner/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";
import { HOUSE } from "../support/domus.ts";

/** Generous: it tells an endless reading from a slow machine. */
const LONGEST_MS = 20_000;
/** `DOMUS_FUZZ=20` tries twenty times as much, from another seed each time. */
const TIMES = Number(process.env.DOMUS_FUZZ ?? 0);
const tries = (numRuns: number) => (TIMES > 0 ? { numRuns: numRuns * TIMES } : { numRuns, seed: 20091201 });
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const COMMANDS = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

/** Reads, and checks what holds for every answer. @returns the site when it reads */
function answer(text: string, hosts?: string): Site | null {
  const began = performance.now();
  const reading = readSite(
    { file: "s.yaml", text },
    RECIPES,
    hosts === undefined ? undefined : { file: "h.yaml", text: hosts },
  );
  const took = performance.now() - began;
  assert.ok(took < LONGEST_MS, `${took} ms for ${text.length} characters`);
  if (reading.ok) return reading.site;
  assert.ok(reading.diagnostics.length > 0, "refused without a reason");
  assert.ok(reading.diagnostics.length <= 402);
  const said = new Set<string>();
  for (const one of reading.diagnostics) {
    const line = formatDiagnostic(one);
    assert.ok(Number.isInteger(one.line) && one.line >= 1 && Number.isInteger(one.column) && one.column >= 1, line);
    assert.ok(one.line <= (one.file === "s.yaml" ? text : hosts!).split("\n").length + 1, line);
    assert.ok(one.says.length > 0 && line.length < 600, line);
    assert.doesNotMatch(line, COMMANDS);
    assert.ok(!said.has(line), `said twice: ${line}`);
    said.add(line);
  }
  return null;
}

/** What reads can be planned: a Blueprint without a fault, or refusals with words in them. */
function planned(site: Site): boolean {
  for (const planOnly of [false, true]) {
    const inventory = emptyInventory({ mariadb: planOnly });
    const input = {
      site,
      inventory,
      parent: null,
      cause: { by: "person", says: "fuzz" },
      version: "0",
      loopback: null,
    } as const;
    const result = plan({ ...input, planOnly }, RECIPES);
    if (!result.ok) {
      assert.ok(result.refusals.length > 0 && result.refusals.every((one) => one.length > 5));
      continue;
    }
    assert.deepEqual(lintBlueprint(result.blueprint, site, inventory), []);
    assert.equal(canonicalJson(JSON.parse(JSON.stringify(site))), canonicalJson(site), "the store keeps sites as JSON");
    assert.doesNotMatch(JSON.stringify(result.warnings), /\\u001b/);
    if (planOnly) return true;
  }
  return false;
}

const EXAMPLES = readdirSync(join(HOUSE, "sites"))
  .filter((name) => /(?<!-inventory)\.yaml$/.test(name))
  .map((name) => readFileSync(join(HOUSE, "sites", name), "utf8"));

const NASTY = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "<<",
  "*a",
  "&a",
  "!!binary",
  "!x",
  "|",
  ">",
  "?",
  "-",
  ":",
  "{",
  "}",
  "[",
  "]",
  ",",
  "#",
  "%YAML 1.1",
  "---",
  "...",
  "\t",
  "\u0000",
  "\u001b[31m",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\ud800",
  "'",
  '"',
  '"\\e[2J"',
  "~",
  "null",
  "true",
  ".nan",
  ".inf",
  "-0",
  "1e999",
  "0x7fffffffffffffff",
  "99999999999999999999",
  "1+1",
  "99+99",
  "16 GiB",
  "0",
  "-1",
  "9007199254740993 B",
  "60 s",
  "127.0.0.1",
  "127.1.2.0/24",
  "10.0.0.0/8",
  "255.255.255.255",
  "qemu:///system",
  "a".repeat(70),
  "fermigrid5",
  "mysql",
  "lvs",
  "own",
  "spare",
  "single",
  "mirrored",
  "rack",
  "building",
  "galera",
  "kept",
  "/",
  "..",
  "/etc/tls/key.pem",
  "running",
  "[]",
  "{}",
  "[a, a]",
  "{ a: 1 }",
] as const;
const KEYS = [
  "site",
  "network",
  "hosts",
  "services",
  "rules",
  "name",
  "prefix",
  "cpus",
  "memory",
  "reserve",
  "rack",
  "building",
  "address",
  "spare",
  "recipe",
  "strategy",
  "mode",
  "kind",
  "copies",
  "disk",
  "alias",
  "port",
  "needs",
  "forbid",
  "slot",
  "apart",
  "probe",
  "settings",
  "command",
  "pages",
  "files",
  "environment",
  "http",
  "tcp",
  "status",
  "contains",
  "packages",
  "image",
  "persistence",
  "connections",
  "title",
  "hypervisor",
  "cidr",
] as const;

const word = fc.oneof(fc.constantFrom(...NASTY), fc.constantFrom(...KEYS), fc.string({ maxLength: 8, unit: "binary" }));

type Edit = { readonly kind: number; readonly at: number; readonly to: number; readonly word: string };
const edits = fc.array(fc.record({ kind: fc.nat(9), at: fc.nat(1_000_000), to: fc.nat(1_000_000), word }), {
  minLength: 1,
  maxLength: 4,
});
const TOKEN = /[A-Za-z0-9_.+-]+|[^\sA-Za-z0-9]|\n *| +/g;

/** Changes a file as a clumsy hand would: lines and words deleted, doubled, swapped, put in, replaced. */
function mutate(text: string, list: readonly Edit[]): string {
  let now = text;
  for (const { kind, at, to, word: put } of list) {
    const byLine = kind < 4;
    const parts = byLine ? now.split("\n") : (now.match(TOKEN) ?? []);
    if (parts.length === 0) return put;
    const [here, there] = [at % parts.length, to % parts.length];
    switch (kind % 4) {
      case 0:
        parts.splice(here, 1);
        break;
      case 1:
        parts.splice(there, 0, parts[here]!);
        break;
      case 2:
        [parts[here], parts[there]] = [parts[there]!, parts[here]!];
        break;
      default:
        if (byLine) parts.splice(here, 0, " ".repeat(to % 7) + put);
        else parts[here] = put;
    }
    now = parts.join(byLine ? "\n" : "");
  }
  return now;
}

/** Examples changed only where a value stands, so that most of them still read. */
const VALUE = /(?<=[:,[] )[^\s{}[\],:#][^{}[\],:#\n]*/g;
function revalue(text: string, list: readonly Edit[]): string {
  let now = text;
  for (const { at, to, word: put, kind } of list) {
    const values = [...now.matchAll(VALUE)];
    const target = values[at % values.length]!;
    const value = kind < 7 ? values[to % values.length]![0] : put;
    now = now.slice(0, target.index) + value + now.slice(target.index + target[0].length);
  }
  return now;
}

describe("reading anything", () => {
  test("any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => void answer(text)),
      tries(1500),
    );
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 60 }),
        fc.constantFrom("", " ", "\n", ": "),
        (words, glue) => void answer(words.join(glue)),
      ),
      tries(2000),
    );
  });

  test("any bytes, read as UTF-8", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void answer(Buffer.from(bytes).toString("utf8"))),
      tries(1000),
    );
  });

  test("any structure, under the right keys and under wrong ones", () => {
    const key = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: word });
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5, depthSize: "medium" },
        fc.oneof(fc.constantFrom(...NASTY), fc.double(), fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie("node"), { maxLength: 4 }),
        fc.array(fc.tuple(key, tie("node")), { maxLength: 6 }).map((pairs) => Object.fromEntries(pairs)),
      ),
    }));
    const top = fc.record(
      { site: fc.oneof(fc.constant("x"), node), hosts: node, services: node, network: node, rules: node },
      { requiredKeys: ["site", "hosts", "services"] },
    );
    const hosts = [
      { name: "a", prefix: "a", cpus: 4, memory: "8 GiB" },
      { name: "b", prefix: "b", cpus: 4, memory: "8 GiB" },
    ];
    fc.assert(
      fc.property(top, fc.dictionary(fc.constantFrom("a", "b", "mysql", "constructor"), node), (any, services) => {
        answer(JSON.stringify(any));
        answer(JSON.stringify({ site: "x", hosts, services: { ...services, c: any } }));
        answer(
          JSON.stringify({
            site: "x",
            hosts,
            services: { g: { recipe: "gums", settings: { policy: any, stale: services } } },
          }),
        );
      }),
      tries(800),
    );
  });

  test("an example changed by a clumsy hand; what still reads is planned", () => {
    let read = 0;
    fc.assert(
      fc.property(fc.constantFrom(...EXAMPLES), edits, (text, list) => {
        const site = answer(mutate(text, list));
        if (site && ++read % 4 === 0) planned(site);
      }),
      tries(1000),
    );
    assert.ok(read > 50, `only ${read} of the changed examples still read`);
  });

  test("an example with other values; what reads is planned", () => {
    let made = 0;
    fc.assert(
      fc.property(fc.constantFrom(...EXAMPLES), edits, (text, list) => {
        const site = answer(revalue(text, list.slice(0, 2)));
        if (site && planned(site)) made++;
      }),
      tries(600),
    );
    assert.ok(made > 30, `only ${made} were planned`);
  });

  test("any --hosts file beside a good site", () => {
    fc.assert(
      fc.property(fc.constantFrom(...EXAMPLES), edits, (text, list) => {
        const hosts = mutate(text.slice(text.indexOf("hosts:"), text.indexOf("services:")), list);
        const site = answer(EXAMPLES[4 % EXAMPLES.length]!, hosts);
        if (site) planned(site);
      }),
      tries(300),
    );
  });
});

describe("traps", () => {
  const head =
    "site: x\nhosts:\n  - { name: a, prefix: a, cpus: 4, memory: 8 GiB }\n  - { name: b, prefix: b, cpus: 4, memory: 8 GiB }\nservices:\n";
  const laughs = (depth: number) =>
    Array.from(
      { length: depth },
      (_, level) =>
        `l${level}: &l${level} [${Array(10)
          .fill(level === 0 ? "x" : `*l${level - 1}`)
          .join(", ")}]`,
    ).join("\n");
  const lines = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => line(index)).join("\n");
  const traps: Readonly<Record<string, string>> = {
    "brackets without an end": "[".repeat(100_000),
    "brackets to the bottom and back": `${head}  g: ${"[".repeat(5000)}${"]".repeat(5000)}`,
    "braces without an end": "{a: ".repeat(100_000),
    "dashes in one line": "- ".repeat(100_000),
    stairs: lines(1500, (index) => `${" ".repeat(index)}a:`),
    "nested to just what is allowed": `${head}  g: { recipe: gums, settings: { policy: ${"[".repeat(45)}${"]".repeat(45)} } }`,
    "an anchor that contains itself": `${head}  g: &g { recipe: gums, settings: { policy: *g } }`,
    "an anchor around the whole file": `&all\n${head}  g: *all`,
    "anchors that contain each other": `${head}  a: &a { recipe: gums, settings: { policy: &b [*a, *b] } }`,
    "a billion laughs": `${laughs(10)}\n${head}  g: { recipe: gums, settings: { policy: *l9 } }`,
    "laughing keys": `${laughs(8)}\n${head}  g: { recipe: gums, settings: { ? *l7 : 1 } }`,
    "20,000 aliases": `${head}  g: { hosts: [ &b c, ${"*b, ".repeat(20_000)}] }`,
    "20,000 keys": `${head}  g: { recipe: ce }\n${lines(20_000, (index) => `k${index}: 1`)}`,
    "20,000 equal keys": `${head}  g: { recipe: ce }\n${lines(20_000, () => "k: 1")}`,
    "2,500 needs of nobody":
      head + lines(2500, (index) => `  service-number-${index}: { recipe: ce, needs: [sirvice-namber-${index}x] }`),
    "a chain of 10,000 services": `${head}${lines(10_000, (index) => `  s${index}: { recipe: ce, needs: [s${index + 1}] }`)}\n  s10000: { recipe: ce }`,
    "a circle of 10,000 services":
      head + lines(10_000, (index) => `  s${index}: { recipe: ce, needs: [s${(index + 1) % 10_000}] }`),
    "1 MB in one line": "x".repeat(1_000_000),
    "1 MB of quotes": '"'.repeat(1_000_000),
    "1 MB of commas": `[${",".repeat(1_000_000)}`,
    "1 MB of colons": ": ".repeat(500_000),
    "1 MB of line ends": "\n".repeat(1_000_000),
    "1 MB of anchors": " &a".repeat(333_000),
    "1 MB of documents": "---\n".repeat(220_000),
    "1 MB of directives": "%YAML 1.2\n".repeat(100_000),
    "1 MB of tabs": "\t".repeat(1_000_000),
    "1 MB of zeros": "\0".repeat(1_000_000),
    "1 MB as a key": `"${"k".repeat(1_000_000)}": 1`,
    "1 MB as a title": `${head}  g: { recipe: ce, title: "${"t".repeat(1_000_000)}" }`,
    "1 MB of digits": `${head}  g: { recipe: ce, cpus: ${"9".repeat(1_000_000)} }`,
    "a file of 5 MB": " ".repeat(5_000_000),
  };
  for (const [what, text] of Object.entries(traps)) test(what, () => void answer(text));

  test("keys that every object has, everywhere", () => {
    for (const key of ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"])
      for (const value of ["1", "{ a: 1 }", "[]"]) {
        answer(`${key}: ${value}\n${head}  g: { recipe: ce }\n`);
        answer(`${head}  ${key}: { recipe: ce }\n`);
        for (const at of [
          "",
          "alias: { name: g, port: 1, # }",
          "probe: { tcp: 1, # }",
          "settings: { # }",
          "pages: { # }",
          "files: { # }",
          "environment: { # }",
        ]) {
          const inside = at === "" ? `${key}: ${value}` : at.replace("#", `${key}: ${value}`);
          for (const recipe of ["recipe: gums,", "command: [x],", "recipe: constructor,"])
            answer(`${head}  g: { ${recipe} ${inside} }\n`);
        }
      }
    assert.equal(({} as Record<string, unknown>).a, undefined);
  });
});
