/** GeneralName (RFC 5280 4.2.1.6): those forms that anything here compares; of the others only that they are there. */
import { contentOf, context, contextPrimitive, type Der, inside, TAG } from "./der.ts";
import { GridRefused } from "./refused.ts";
import { readX509Name, type X509Name } from "./x509-name.ts";

export type GeneralName =
  | { readonly form: "dns" | "email" | "uri"; readonly text: string }
  | { readonly form: "directory"; readonly name: X509Name }
  | { readonly form: "other"; readonly tag: number };

const LIMIT = 256;

/** Primitive forms that are IA5 text. */
const TEXTS: Readonly<Record<number, "email" | "dns" | "uri">> = {
  [contextPrimitive(1)]: "email",
  [contextPrimitive(2)]: "dns",
  [contextPrimitive(6)]: "uri",
};

/** @throws {GridRefused} */
export function readGeneralName(der: Der): GeneralName {
  const form = TEXTS[der.tag];
  if (form !== undefined) return { form, text: contentOf(der).toString("latin1") };
  if (der.tag !== context(4)) return { form: "other", tag: der.tag };
  const reader = inside(der);
  const name = readX509Name(reader.next(TAG.sequence, "a directory name"));
  reader.finish("a directory name");
  return { form: "directory", name };
}

/**
 * @param der the SEQUENCE OF, under whatever tag
 * @throws {GridRefused} `limit` for more than 256
 */
export function readGeneralNames(der: Der): readonly GeneralName[] {
  const names: GeneralName[] = [];
  for (const reader = inside(der); !reader.done; ) {
    if (names.length === LIMIT) throw new GridRefused("limit", `more than ${LIMIT} names`, { offset: reader.at });
    names.push(readGeneralName(reader.next(null, "a general name")));
  }
  return names;
}
