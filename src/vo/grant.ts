/**
 * Which attributes a member gets for what he asks: vomsd's rules (`VOMSServer::makeAC`), so that clients see no difference. Whatever is asked,
 * all his groups come along; a role comes only when it is asked for, by name or with everything. What is asked first comes first, which
 * makes it primary.
 */
import { formatFqan, NameRefused, parseFqan } from "../grid/index.ts";

/** One thing asked for. `group` and `role` are `null` where they are left open. */
export interface Wish {
  readonly group: string | null;
  readonly role: string | null;
  /** Everything he has, roles too. */
  readonly all: boolean;
  /** As it was asked, for sentences. */
  readonly text: string;
}

export type GrantWarning = "not-first" | "subset";

export type Granting =
  | { readonly fqans: readonly string[]; readonly warnings: readonly GrantWarning[]; readonly refused?: never }
  /** `unsatisfied`: the wish that cannot be; `empty`: nothing is left of it beside what the client already showed. */
  | { readonly refused: "unsatisfied" | "empty"; readonly wish: string };

export const MOST_WISHES = 256;

/**
 * One FQAN of the REST call, or one command of the older protocol: `G/vo/group`, `B/vo/group:role`, `Rrole`, `A`, `Gall`.
 * @param legacy whether the first letter is a command
 * @throws {NameRefused} when it is none of these
 */
export function parseWish(text: string, legacy: boolean): Wish {
  const body = legacy ? text.slice(1) : text;
  const letter = legacy ? text[0] : "";
  if (legacy && !/^[AGRB]/.test(text)) throw new NameRefused(`"${text.slice(0, 60)}" is no command`);
  if (letter === "A" || body === "all" || body === "/") return { group: null, role: null, all: true, text };
  if (letter === "R" && !body.startsWith("/")) return { group: null, role: roleName(body), all: false, text };
  if (body.startsWith("/Role=")) return { group: null, role: roleName(body.slice(6)), all: false, text };
  const colon = body.indexOf(":");
  const fqan = parseFqan(colon < 0 ? body : `${body.slice(0, colon)}/Role=${roleName(body.slice(colon + 1))}`);
  return { group: fqan.group, role: fqan.role, all: false, text };
}

function roleName(text: string): string {
  const [name = ""] = text.split("/Capability=");
  if (!/^[A-Za-z0-9_.-]{1,255}$/.test(name)) throw new NameRefused(`"${text.slice(0, 60)}" is no role`);
  return name;
}

/** One entry of an order: `/vo/group`, `/vo/group:role`, or an FQAN. @throws {NameRefused} */
export function parseOrder(text: string): string {
  const [group = "", role] = text.trim().split(":");
  return formatFqan(parseFqan(role === undefined ? group : `${group}/Role=${roleName(role)}`));
}

/**
 * @param has groups and roles he holds, short form
 * @param wishes what is asked, in order; none is the organization itself
 * @param order short forms that come first, in this order; what was asked when empty
 * @param shown what the client's own proxy carries already of this organization: no more than that is given
 */
export function grant(
  has: readonly string[],
  wishes: readonly Wish[],
  order: readonly string[] = [],
  shown: readonly string[] = [],
): Granting {
  const groups = has.filter((fqan) => !fqan.includes("/Role="));
  const roles = has.filter((fqan) => fqan.includes("/Role="));
  const given = new Set(groups);
  for (const wish of wishes) {
    const found = wish.all
      ? has
      : wish.role === null
        ? groups.filter((one) => one === wish.group)
        : matching(roles, wish);
    if (found.length === 0) return { refused: "unsatisfied", wish: wish.text };
    for (const fqan of found) given.add(fqan);
  }
  const asked = wishes.flatMap(({ group, role }) => (group === null ? [] : [formatFqan({ group, role })]));
  const first = order.length > 0 ? order : asked;
  const ranks = new Map(first.map((fqan, rank) => [fqan, rank] as const).reverse());
  const rank = (fqan: string): number => ranks.get(fqan) ?? first.length;
  // Groups in order of name behind what was asked; roles that came along behind them.
  const sorted = [...given].sort((a, b) => rank(a) - rank(b) || plain(a) - plain(b) || (a < b ? -1 : 1));
  const fqans = shown.length === 0 ? sorted : sorted.filter((fqan) => shown.includes(fqan));
  if (fqans.length === 0) return { refused: "empty", wish: wishes[0]?.text ?? "" };
  const warnings: GrantWarning[] = [];
  if (first.length > 0 && fqans[0] !== first[0]) warnings.push("not-first");
  if (fqans.length < sorted.length) warnings.push("subset");
  return { fqans, warnings };
}

const plain = (fqan: string): number => (fqan.includes("/Role=") ? 1 : 0);

function matching(roles: readonly string[], { group, role }: Wish): readonly string[] {
  return group === null
    ? roles.filter((one) => one.endsWith(`/Role=${role}`))
    : roles.filter((one) => one === `${group}/Role=${role}`);
}
