/** GUMS: identity (and FQAN) to account for a host, as JSON and SOAP over mutual TLS. Decides from memory; the database is only followed. */
import { join } from "node:path";
import { compileGums, explainGums, type GumsPolicy, sazKey } from "../../src/policy/index.ts";
import { CREDENTIALS_DEFAULT, type GumsConfig } from "../../src/recipes/index.ts";
import { compileGatekeepers, serveDecisions } from "../deciding/index.ts";
import { type Fields, type Merged, Pools, poolServers } from "../records/index.ts";
import { readConfig, runProgram } from "../serving/index.ts";
import { Tokens } from "../tokens/index.ts";
import { Credentials, Trust } from "../trust/index.ts";
import { adminSoapRoutes } from "./admin-soap.ts";
import { gumsRoutes } from "./calls.ts";
import { changeRoutes } from "./changes.ts";
import { Files, fileRoutes } from "./files.ts";
import { compileMapping } from "./mapping.ts";
import { gumsSoapRoutes } from "./soap.ts";
import { accountKey, gumsState, MemberBook } from "./state.ts";
import { VomsMembers } from "./voms-members.ts";
import { whatIfCall } from "./what-if.ts";

runProgram(async (guest, log) => {
  const policy = readConfig<GumsPolicy>(guest, "policy.json");
  const config = readConfig<GumsConfig>(guest, "gums.json");
  return serveDecisions(guest, log, config, (parts) => {
    const onChange = (): void => files.forget();
    const accounts = parts.follow<Merged>("mapping", { keyOf: accountKey }, { onChange });
    const members = parts.follow<MemberBook>("member", { fold: new MemberBook() }, { onChange });
    const banKey = ({ kind = "", value = "" }: Fields): string => sazKey(kind, value);
    const bans = parts.follow<Merged>("ban", { keyOf: banKey }, { onChange });
    const pools = new Pools({
      servers: poolServers(config.database, guest, parts.tls),
      records: parts.records,
      file: join(guest.data, "snapshot-pool.json"),
      onSnapshot: (says) => log("snapshot", { stream: "pool", says }),
      onChange,
    });
    const files = new Files({ policy, accounts, members, bans, pools });
    const vomsMembers = new VomsMembers({
      policy,
      members,
      tls: parts.tls,
      guest: guest.name,
      every: config.refresh,
      log,
    });
    const tokens = new Tokens({
      issuers: policy.userGroups.flatMap((group) => (group.kind === "token" ? [group.issuer] : [])),
      audiences: config.audiences ?? [],
      tls: parts.tls,
      log,
    });
    const rule = config.credentials ?? CREDENTIALS_DEFAULT;
    const trust = new Trust({ config: rule, own: parts.tls.ca, log });
    const credentials = new Credentials(trust, rule.limited);
    const state = gumsState(accounts, members, pools);
    const own = { ...parts, policy, accounts, members, pools };
    const believes = compileGatekeepers(config.gatekeepers ?? null);
    const mapIdentity = compileMapping({ ...own, decide: compileGums(policy, state) });
    return {
      routes: {
        ...gumsRoutes({
          ...parts,
          mapIdentity,
          explain: (question) => explainGums(policy, state, question),
          believes,
          tokens,
          credentials,
        }),
        ...gumsSoapRoutes({ ...parts, mapIdentity, believes }),
        ...adminSoapRoutes({ ...parts, files, mapIdentity, believes }),
        ...changeRoutes(own),
        ...fileRoutes(files),
        "POST /gums/json/whatIf": whatIfCall(parts.audit, policy, state),
      },
      start: async () => {
        // Hundreds of files; who asks by name need not wait for them.
        void trust.start();
        await pools.start();
        vomsMembers.start();
      },
      about: () => ({
        poolConflicts: pools.conflicts(),
        membersNotFetched: vomsMembers.faults(),
        trust: trust.about(),
      }),
      renew: (tls) => {
        pools.renew(tls);
        vomsMembers.renew(tls);
        tokens.renew(tls);
        trust.renew(tls.ca);
      },
      close: async () => {
        await trust.close();
        await vomsMembers.close();
        await pools.close();
      },
    };
  });
});
