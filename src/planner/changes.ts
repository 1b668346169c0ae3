/** What a plan changes against its parent, in sentences, and whether it changes anything at all. */
import { type Blueprint, type BlueprintGuest, type BlueprintId, canonicalJson, digest } from "../model/index.ts";
import type { Change } from "./contract.ts";
import { byCodeUnit } from "./order.ts";
import { redefined } from "./render.ts";

/** What makes a Blueprint a target; number, parent, cause, digests, reasons, steps and proof are how it came about. */
const TARGET = [
  "site",
  "network",
  "hosts",
  "guests",
  "aliases",
  "secrets",
  "bundles",
] as const satisfies (keyof Blueprint)[];

/** @returns whether two Blueprints want the same, whoever asked and whenever. */
export function sameTarget(a: Blueprint, b: Blueprint): boolean {
  return TARGET.every((part) => canonicalJson(a[part]) === canonicalJson(b[part]));
}

/** @returns SHA-256 of a Blueprint's canonical JSON: its name for ever. */
export function blueprintId(blueprint: Blueprint): BlueprintId {
  return digest(blueprint) as BlueprintId;
}

const PARTS: readonly (readonly [name: string, of: (guest: BlueprintGuest) => unknown])[] = [
  ["memory", (guest) => guest.definition.memory],
  ["processors", (guest) => guest.definition.cpus],
  ["disk", (guest) => guest.definition.disk],
  ["program", (guest) => guest.definition.program],
  ["address", (guest) => guest.address],
  ["ports", (guest) => guest.definition.ports],
  ["environment", (guest) => guest.definition.environment],
  ["image", (guest) => [guest.definition.image, guest.definition.packages]],
  ["secrets", (guest) => guest.secrets],
];

function whatChanged(before: BlueprintGuest, after: BlueprintGuest): string {
  const parts: string[] = PARTS.flatMap(([name, of]) =>
    canonicalJson(of(before)) === canonicalJson(of(after)) ? [] : [name],
  );
  const old = new Map(before.files.map((file) => [file.path, file.content]));
  const files = after.files.filter((file) => old.get(file.path) !== file.content).map((file) => file.path);
  const gone = before.files
    .filter((file) => !after.files.some((one) => one.path === file.path))
    .map((file) => file.path);
  if (files.length + gone.length > 0) parts.push(`files ${[...files, ...gone].join(", ")}`);
  return parts.length > 0 ? parts.join("; ") : "its program comes in another version, or its definition changed";
}

/** @returns differences in order of guest name; a guest that moved and changed is one change. */
export function changesBetween(
  before: Blueprint | null,
  after: Blueprint,
  because: (guest: string) => string | null,
): readonly Change[] {
  const changes: Change[] = [];
  const old = new Map(before?.guests.map((guest) => [guest.name, guest]));
  for (const guest of after.guests) {
    const previous = old.get(guest.name);
    old.delete(guest.name);
    const who = `${guest.name} (${guest.service} copy ${guest.copy})`;
    const at = { guest: guest.name, from: previous?.host ?? null, to: guest.host };
    if (!previous) {
      changes.push({ ...at, kind: "new", says: `${who} is new on ${guest.host}` });
      continue;
    }
    const made = redefined(previous, guest, { before: before?.bundles ?? {}, after: after.bundles });
    const anew = made ? whatChanged(previous, guest) : null;
    if (previous.host !== guest.host) {
      const reason = because(guest.name);
      const says = `${who} moves from ${previous.host} to ${guest.host}${reason ? `: ${reason}` : ""}`;
      changes.push({ ...at, kind: "moved", says: anew ? `${says}; changed: ${anew}` : says });
    } else if (anew) changes.push({ ...at, kind: "changed", says: `${who} is made anew on ${guest.host}: ${anew}` });
  }
  for (const guest of old.values()) {
    const says = `${guest.name} (${guest.service} copy ${guest.copy}) is removed from ${guest.host}; its data stays`;
    changes.push({ kind: "removed", guest: guest.name, from: guest.host, to: null, says });
  }
  return changes.sort((a, b) => byCodeUnit(a.guest, b.guest));
}
