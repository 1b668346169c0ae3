/** GUMS: identity (and FQAN) to account for a host, as JSON over mutual TLS. Decides from memory; the database is only followed. */
import { join } from "node:path";
import { compileGums, explainGums, type GumsPolicy } from "../../src/policy/index.ts";
import type { GumsConfig } from "../../src/recipes/index.ts";
import { serveDecisions } from "../deciding/index.ts";
import { type Merged, Pools, poolServers } from "../records/index.ts";
import { readConfig, runProgram } from "../serving/index.ts";
import { gumsRoutes } from "./calls.ts";
import { changeRoutes } from "./changes.ts";
import { compileGatekeepers } from "./questions.ts";
import { accountKey, gumsState, MemberBook } from "./state.ts";
import { whatIfCall } from "./what-if.ts";

runProgram(async (guest, log) => {
  const policy = readConfig<GumsPolicy>(guest, "policy.json");
  const config = readConfig<GumsConfig>(guest, "gums.json");
  return serveDecisions(guest, log, config, (parts) => {
    const accounts = parts.follow<Merged>("mapping", { keyOf: accountKey });
    const members = parts.follow<MemberBook>("member", { fold: new MemberBook() });
    const pools = new Pools({
      servers: poolServers(config.database, guest, parts.tls),
      records: parts.records,
      file: join(guest.data, "snapshot-pool.json"),
      onSnapshot: (says) => log("snapshot", { stream: "pool", says }),
    });
    const state = gumsState(accounts, members, pools);
    const own = { ...parts, policy, accounts, members, pools };
    return {
      routes: {
        ...gumsRoutes({
          ...own,
          decide: compileGums(policy, state),
          explain: (question) => explainGums(policy, state, question),
          believes: compileGatekeepers(config.gatekeepers ?? null),
        }),
        ...changeRoutes(own),
        "POST /gums/json/whatIf": whatIfCall(parts.audit, policy, state),
      },
      start: () => pools.start(),
      about: () => ({ poolConflicts: pools.conflicts() }),
      renew: (tls) => pools.renew(tls),
      close: () => pools.close(),
    };
  });
});
