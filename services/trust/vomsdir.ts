/** A directory as `/etc/grid-security/vomsdir` is: for each VO a directory, in it `<host>.lsc` for each server that may speak for it. */
import { join } from "node:path";
import { parseLsc, type VomsTrust } from "../../src/grid/index.ts";
import { namesIn, type Shelf } from "./shelf.ts";

const LIMITS = { vos: 1024, files: 256, octets: 64 * 1024 } as const;
const ENDING = ".lsc";

/** @returns who may speak for which VO, and what is wrong with which file; `null` when there is no such directory */
export async function readVomsDirectory(
  shelf: Shelf,
  directory: string,
): Promise<{ readonly trust: readonly VomsTrust[]; readonly faults: ReadonlyMap<string, string> } | null> {
  const vos = await namesIn(directory, LIMITS.vos);
  if (vos === null) return null;
  const trust: VomsTrust[] = [];
  const faults = new Map<string, string>();
  for (const vo of vos) {
    const own = join(directory, vo);
    let names: readonly string[] = [];
    try {
      names = (await namesIn(own, LIMITS.files)) ?? [];
    } catch (error) {
      // Certificates of servers used to lie here: they are nobody's VO.
      if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") faults.set(own, (error as Error).message);
    }
    for (const name of names) {
      if (!name.endsWith(ENDING)) continue;
      const { path, value, fault } = await shelf.take({
        path: join(own, name),
        octets: LIMITS.octets,
        keepLast: false,
        parse: (content) => parseLsc(vo, name.slice(0, -ENDING.length), content.toString("utf8")),
      });
      if (fault !== null) faults.set(path, fault);
      if (value !== null) trust.push(value);
    }
  }
  return { trust, faults };
}
