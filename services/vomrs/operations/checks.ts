/** What several operations have to look at first. */
import { createHash } from "node:crypto";
import { parseFqan } from "../../../src/grid/index.ts";
import { institutionUntil, SITE_FILE } from "../../../src/vo/index.ts";
import { FormRefused } from "../fields.ts";
import { type Doing, refuse, type State } from "../operation.ts";
import { called, type Scene } from "../scene.ts";

/** Those whose membership was approved once and not ended. */
export const MEMBERS: readonly State[] = ["member", "unsigned", "suspended", "expired"];

/**
 * The id of a person who is not recorded yet: the same from whichever copy he comes in, and never one that somebody else has become.
 * @param key of the identity he comes with
 */
export function newPerson({ vo, facts }: Scene, key: string): string {
  for (let attempt = 0; ; attempt++) {
    const id = `p-${createHash("sha256").update(`${vo.name}\n${key}\n${attempt}`).digest("hex").slice(0, 24)}`;
    const known = facts.people.get(id);
    if (known === undefined || (known.application === null && known.identities.size === 0)) return id;
  }
}

/** @throws {FormRefused} for an institution that vouches for nobody (any more) */
export function checkInstitution({ vo, facts, now }: Doing, name: string): void {
  if (vo.institutions.length === 0) return;
  if (!vo.institutions.some((one) => one.name === name))
    throw new FormRefused({ institution: `${vo.name} has no such institution` });
  const until = institutionUntil(vo, facts, name);
  if (until !== null && until <= now)
    throw new FormRefused({ institution: `${name} is no part of ${vo.name} any more` });
}

/** @throws {Refusal} 409: as long as the file names somebody, the file alone says whether he is a member */
export function notByFile({ about, vo }: Doing): void {
  if (about?.application?.actor === SITE_FILE)
    refuse(`${called(about)} is a member of ${vo.name} by the site file: change it there`);
}

/**
 * @returns until when a membership that is approved now lasts; milliseconds since the epoch, `null` for good
 * @throws {FormRefused} for a day that is over, or later than the organization has it where a representative says it
 */
export function endOf({ vo, now, input, roles }: Doing): number | null {
  const usual = vo.membership === null ? null : now + vo.membership * 1000;
  const wanted = input.moment("until");
  if (wanted === undefined) return usual;
  if (wanted !== null && wanted <= now) throw new FormRefused({ until: "this day is over" });
  const longer = usual !== null && (wanted === null || wanted > usual + 86_400_000);
  if (longer && !roles.includes("manager") && !roles.includes("operator"))
    throw new FormRefused({
      until: `memberships of ${vo.name} last until ${new Date(usual).toISOString().slice(0, 10)} at most; managers may say otherwise`,
    });
  return wanted;
}

/** @throws {FormRefused} for a group or role that the organization has not, and for itself, which every member is in */
export function checkPlace({ vo }: Pick<Doing, "vo">, fqan: string, field = "fqan"): void {
  const { group, role } = parseFqan(fqan);
  if (!vo.groups.includes(group)) throw new FormRefused({ [field]: `${vo.name} has no group ${group}` });
  if (role !== null && !vo.roles.includes(role)) throw new FormRefused({ [field]: `${vo.name} has no role ${role}` });
  if (role === null && group === `/${vo.name}`)
    throw new FormRefused({ [field]: `every member is in ${group} by being one` });
}
