/**
 * Name constraints (RFC 5280 4.2.1.10). Directory names and DNS names are compared; a constraint on any other form refuses every
 * certificate that has a name of that form, whatever it says: what cannot be compared must not be let through.
 */
import { context, contextPrimitive, type Der, inside, refuseDer } from "./der.ts";
import { type GeneralName, readGeneralName } from "./general-name.ts";
import { GridRefused } from "./refused.ts";
import type { X509Name } from "./x509-name.ts";

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

const LIMIT = 256;

function readSubtrees(der: Der | null): readonly GeneralName[] {
  if (der === null) return [];
  const what = "nameConstraints";
  const bases: GeneralName[] = [];
  for (const reader = inside(der); !reader.done; ) {
    if (bases.length === LIMIT) throw new GridRefused("limit", `more than ${LIMIT} subtrees`, { offset: reader.at });
    const subtree = inside(reader.next(0x30, what));
    bases.push(readGeneralName(subtree.next(null, what)));
    // RFC 5280: minimum is 0 and left out, maximum is absent.
    if (subtree.peek === contextPrimitive(0) || !subtree.done)
      refuseDer(`${what}: distances are not supported`, subtree.at);
  }
  return bases;
}

/** @param value the SEQUENCE */
export function readNameConstraints(value: Der): NameConstraints {
  const reader = inside(value);
  const permitted = readSubtrees(reader.optional(context(0), "nameConstraints"));
  const excluded = readSubtrees(reader.optional(context(1), "nameConstraints"));
  reader.finish("nameConstraints");
  return { permitted, excluded };
}

const formOf = (name: GeneralName): string => (name.form === "other" ? `form ${name.tag & 0x1f}` : name.form);

const same = (text: string): string => text;
const folded = (text: string): string => text.toLowerCase();

/**
 * @param spelled how values are compared: what is permitted exactly, what is excluded in any letter case (RFC 5280 7.1)
 * @returns whether the name lies in the subtree, or `null` where nobody here can tell
 */
function within(name: GeneralName, base: GeneralName, spelled: (text: string) => string): boolean | null {
  if (name.form === "directory" && base.form === "directory") {
    const parts = base.name.rdns;
    return (
      name.name.rdns.length >= parts.length &&
      parts.every(({ type, value }, index) => {
        const other = name.name.rdns[index]!;
        return other.type === type && spelled(other.value) === spelled(value);
      })
    );
  }
  if (name.form === "dns" && base.form === "dns") {
    const text = name.text.toLowerCase();
    const suffix = base.text.toLowerCase();
    return suffix === "" || text === suffix || text.endsWith(suffix.startsWith(".") ? suffix : `.${suffix}`);
  }
  return null;
}

/**
 * Names of one certificate under the constraints of one authority above it.
 * @returns why it is refused, or `null`
 */
export function outsideConstraints(
  constraints: NameConstraints,
  subject: X509Name,
  alternatives: readonly GeneralName[] | null,
): string | null {
  const names: GeneralName[] = [{ form: "directory", name: subject }, ...(alternatives ?? [])];
  for (const { type, value } of subject.rdns) if (type === "emailAddress") names.push({ form: "email", text: value });
  for (const name of names) {
    const form = formOf(name);
    const permitted = constraints.permitted.filter((base) => formOf(base) === form);
    const excluded = constraints.excluded.filter((base) => formOf(base) === form);
    const shown = name.form === "directory" ? name.name.normal : name.form === "other" ? form : name.text;
    if (permitted.length > 0 && !permitted.some((base) => within(name, base, same) === true))
      return `"${shown}" is in no name space that its authority was given`;
    if (excluded.some((base) => within(name, base, folded) !== false))
      return `"${shown}" is in a name space that its authority was denied`;
  }
  return null;
}
