/**
 * The import rule: a room imports only rooms above it, enters them by their `index.ts`, and pure rooms never look outside. The list is the
 * house's own, in `docs/architecture.md` in the same order.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";

const HOUSE = resolve(import.meta.dirname, "../..");
/** From the top of the house to the bottom; each room imports only what stands before it. */
const FLOORS = [
  "src/model",
  "src/pages",
  "src/grid",
  "src/pki",
  "src/policy",
  "src/vo",
  "src/recipes",
  "src/convert",
  "src/planner",
  "src/world",
  "src/hypervisor",
  "src/images",
  "src/store",
  "src/probe",
  "src/controller",
  "src/acceptance",
  "src/batch",
  "src/watch",
  "src/api",
  "src/cli",
  "lab",
] as const;
/** Programs in guests know these and nothing else of the house. */
const GUESTS_KNOW: readonly string[] = [
  "src/model",
  "src/pages",
  "src/grid",
  "src/pki",
  "src/policy",
  "src/vo",
  "src/recipes",
  "src/world",
];
const PURE: readonly string[] = [
  "src/model",
  "src/pages",
  "src/grid",
  "src/policy",
  "src/vo",
  "src/recipes",
  "src/convert",
  "src/planner",
];
/** Node's modules that a pure room may use: no clock, no files, no network, no processes. */
const HARMLESS: readonly string[] = ["node:crypto", "node:buffer"];
/** Doors outside: only these rooms may open them in `src/`, besides `world`. */
const NETWORK: readonly string[] = ["node:http", "node:https", "node:tls", "node:dgram", "node:http2"];

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(HOUSE, file), "utf8");
  const found: Import[] = [];
  for (const match of text.matchAll(/(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/g))
    found.push({ file, target: match[2]!, typeOnly: Boolean(match[1]) });
  for (const match of text.matchAll(/\bimport\("([^"]+)"\)/g)) found.push({ file, target: match[1]!, typeOnly: false });
  return found;
}

function roomOf(file: string): string | null {
  return FLOORS.find((room) => file.startsWith(`${room}/`)) ?? (file.startsWith("services/") ? "services" : null);
}

/** @returns what an import breaks, in one sentence, or `null` */
function broken({ file, target }: Import): string | null {
  const room = roomOf(file);
  if (room === null) return `${file} is in no room of the house`;
  if (!target.startsWith(".")) {
    if (PURE.includes(room) && target.startsWith("node:") && !HARMLESS.includes(target))
      return `${file}: ${room} is pure, ${target} is not`;
    if (room.startsWith("src/") && room !== "src/world" && NETWORK.includes(target))
      return `${file}: the network is reached through src/world, not ${target}`;
    return null;
  }
  const wanted = relative(HOUSE, resolve(HOUSE, dirname(file), target));
  const other = roomOf(wanted);
  if (other === null) return `${file}: ${wanted} is in no room of the house`;
  if (room === "services") {
    // One room: a program takes from its neighbours only the files it needs, so that it starts fast.
    if (other === "services") return null;
    if (!GUESTS_KNOW.includes(other)) return `${file}: programs in guests do not know ${other}`;
    return wanted === `${other}/index.ts` ? null : `${file}: enter ${other} by its index.ts, not ${wanted}`;
  }
  if (other === room) return null;
  if (other === "services") return `${file}: the house does not know programs in guests (${wanted})`;
  if (FLOORS.indexOf(other as (typeof FLOORS)[number]) > FLOORS.indexOf(room as (typeof FLOORS)[number]))
    return `${file}: ${room} may not know ${other}`;
  return wanted === `${other}/index.ts` ? null : `${file}: enter ${other} by its index.ts, not ${wanted}`;
}

describe("the house", () => {
  const files = globSync(["src/**/*.ts", "services/**/*.ts", "lab/**/*.ts"], { cwd: HOUSE });

  it("keeps the import rule", () => {
    assert.ok(files.length > 100);
    assert.deepEqual(files.flatMap(importsOf).map(broken).filter(Boolean), []);
  });

  it("would notice a broken one", () => {
    const planted = (file: string, target: string) => broken({ file, target, typeOnly: false });
    assert.match(planted("src/model/site.ts", "../planner/index.ts") ?? "", /may not know/);
    assert.match(planted("src/planner/plan.ts", "node:fs") ?? "", /pure/);
    assert.match(planted("src/cli/main.ts", "../store/store.ts") ?? "", /index\.ts/);
    assert.match(planted("services/gums/main.ts", "../../src/controller/index.ts") ?? "", /do not know/);
    assert.match(planted("src/controller/steps.ts", "../../services/gums/main.ts") ?? "", /does not know/);
    assert.equal(planted("src/controller/steps.ts", "../model/index.ts"), null);
  });

  it("has no file that outgrew itself", () => {
    const long = files.filter((file) => readFileSync(join(HOUSE, file), "utf8").split("\n").length > 400);
    assert.deepEqual(long, []);
  });

  it("is drawn in docs/architecture.md as it stands", () => {
    const picture = readFileSync(join(HOUSE, "docs/architecture.md"), "utf8");
    const rooms = new Set(files.map(roomOf));
    for (const room of FLOORS)
      if (rooms.has(room))
        assert.ok(picture.includes(`${room.replace("src/", "")}/`), `docs/architecture.md does not show ${room}`);
  });
});
