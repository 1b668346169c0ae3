/** GUMS: identity (and FQAN) to account for a host, as JSON over mutual TLS. Decides from memory; the database is only followed. */
import { compileGums, type GumsPolicy, type GumsState, PEOPLE } from "../../src/policy/index.ts";
import type { GumsConfig } from "../../src/recipes/index.ts";
import { serveDecisions } from "../deciding/index.ts";
import { readConfig, runProgram } from "../serving/index.ts";
import { gumsRoutes } from "./calls.ts";

runProgram(async (guest, log) => {
  const policy = readConfig<GumsPolicy>(guest, "policy.json");
  return serveDecisions(guest, log, readConfig<GumsConfig>(guest, "gums.json"), {
    stream: "mapping",
    keyOf: (fields) => fields.subject ?? "",
    routes: (parts) => {
      // The stream of manual mappings has one mapper's: the people of the short spelling.
      const state: GumsState = {
        memberships: () => [],
        account: (mapper, subject) => {
          const fields = mapper === PEOPLE ? parts.follower.merged.get(subject)?.fields : undefined;
          return fields?.action === "add"
            ? { account: fields.account ?? "", group: fields.groupname || null }
            : undefined;
        },
        pooled: () => undefined,
        groupsOf: () => [],
      };
      const decide = compileGums(policy, state);
      return gumsRoutes({ ...parts, policy, decide });
    },
  });
});
