/**
 * Records since when a version of the rules is in force: from then on members have its grace. The site file says which version, and only a program
 * that runs knows the day. Both copies may record it in the same moment: the later word counts, and they differ by less than a second.
 */
import type { Follower } from "../records/index.ts";
import type { Log } from "../serving/index.ts";
import { writeWord } from "../vo/index.ts";
import type { Chronicle } from "./chronicle.ts";

/** Milliseconds until it is tried again when the database takes no writes. */
const AGAIN = 5000;

/** @returns how to stop */
export function recordRules(follower: Follower<Chronicle>, guest: string, log: Log): () => void {
  let timer: NodeJS.Timeout | null = null;
  let said = "";
  const missing = () =>
    follower.merged.definitions.filter(
      ({ name, rules }) => rules !== null && follower.merged.facts(name).rules?.version !== rules.version,
    );
  const look = async (): Promise<void> => {
    timer = null;
    try {
      // Before the records were seen, nothing is known of what is in them.
      if (follower.fault === null)
        for (const { name, rules } of missing())
          await writeWord(follower, {
            vo: name,
            kind: "rules",
            key: "current",
            action: "in force",
            value: { version: rules!.version, since: Date.now() },
            actor: guest,
          });
    } catch (error) {
      const says = (error as Error).message;
      if (says !== said) log("rules not recorded", { says });
      said = says;
    }
    if (missing().length > 0) timer = setTimeout(() => void look(), AGAIN).unref();
  };
  void look();
  return () => {
    if (timer) clearTimeout(timer);
  };
}
