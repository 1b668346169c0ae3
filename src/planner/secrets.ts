/**
 * Which secrets guests get, by name and version, never by value. Every guest has a key and certificate of its own; what a recipe asks for
 * comes on top. A certificate whose subject changes gets a new version, because the old one no longer says the truth; so a plan needs no
 * memory but its parent. The operator's certificate is the store's business, not the plan's.
 */
import type { BlueprintAlias, GuestName, Secret } from "../model/index.ts";
import { canonicalJson } from "../model/index.ts";
import { byCodeUnit } from "./order.ts";

/** @returns how guests list a secret: `name@version`. */
export function reference(secret: Pick<Secret, "name" | "version">): string {
  return `${secret.name}@${secret.version}`;
}

/**
 * @param aliases of the guest's own service.
 * @param before the secrets of the Blueprint in force, by name.
 */
export function certificateOf(
  guest: { readonly name: GuestName; readonly address: string },
  aliases: readonly Pick<BlueprintAlias, "name" | "address">[],
  before: ReadonlyMap<string, Secret>,
): Secret {
  const name = `tls-${guest.name}`;
  const subject = {
    commonName: guest.name,
    dns: [guest.name, ...aliases.map((alias) => alias.name)],
    ip: [guest.address, ...aliases.map((alias) => alias.address)],
  };
  return inForce({ name, version: 1, kind: "tls", subject }, before);
}

/** @returns the secret in the version that is in force, or the next one when it says something else now. */
export function inForce(secret: Secret, before: ReadonlyMap<string, Secret>): Secret {
  const old = before.get(secret.name);
  if (!old) return secret;
  const same = canonicalJson({ ...old, version: 0 }) === canonicalJson({ ...secret, version: 0 });
  return { ...secret, version: same ? old.version : old.version + 1 };
}

/** @returns each secret once, by name; the same name asked for in two ways is a refusal. */
export function collectSecrets(asked: readonly Secret[]): {
  readonly secrets: readonly Secret[];
  readonly refusals: readonly string[];
} {
  const byReference = new Map<string, Secret>();
  const refusals: string[] = [];
  for (const secret of asked) {
    const key = reference(secret);
    const known = byReference.get(key);
    if (known && canonicalJson(known) !== canonicalJson(secret))
      refusals.push(`secret ${key}: two recipes ask for it in different ways`);
    byReference.set(key, known ?? secret);
  }
  const secrets = [...byReference.values()].sort((a, b) => byCodeUnit(a.name, b.name) || a.version - b.version);
  return { secrets, refusals };
}
