/** GUMS: identity (and FQAN) to account for a host, as JSON over mutual TLS. Decides from memory; the database is only followed. */
import type { GumsConfig, GumsPolicy } from "../../src/recipes/index.ts";
import { serveDecisions } from "../deciding/index.ts";
import { readConfig, runProgram } from "../serving/index.ts";
import { gumsRoutes } from "./calls.ts";
import { compilePolicy } from "./policy.ts";

runProgram(async (guest, log) => {
  const policy = readConfig<GumsPolicy>(guest, "policy.json");
  return serveDecisions(guest, log, readConfig<GumsConfig>(guest, "gums.json"), {
    stream: "mapping",
    keyOf: (fields) => fields.subject ?? "",
    routes: (parts) => {
      const decide = compilePolicy(policy, (subject) => {
        const event = parts.follower.merged.get(subject);
        return event?.fields.action === "add"
          ? { account: event.fields.account ?? "", groupname: event.fields.groupname ?? "" }
          : undefined;
      });
      return gumsRoutes({ ...parts, policy, decide });
    },
  });
});
