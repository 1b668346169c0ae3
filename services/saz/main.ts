/** SAZ: may this identity use the site? Answers from memory; bans are recorded in the database and followed by every copy. */
import { compileSaz, explainSaz, type SazPolicy, sazKey } from "../../src/policy/index.ts";
import { CREDENTIALS_DEFAULT, type SazConfig } from "../../src/recipes/index.ts";
import { compileGatekeepers, serveDecisions } from "../deciding/index.ts";
import type { Merged } from "../records/index.ts";
import { readConfig, runProgram } from "../serving/index.ts";
import { Tokens } from "../tokens/index.ts";
import { Credentials, Trust } from "../trust/index.ts";
import { banRoutes } from "./bans.ts";
import { sazRoutes } from "./calls.ts";
import { Copies } from "./copies.ts";
import { compileJudging } from "./judging.ts";
import { SeenValues } from "./seen.ts";
import { sazSoapRoutes } from "./soap.ts";

runProgram(async (guest, log) => {
  const config = readConfig<SazConfig>(guest, "saz.json");
  const policy = readConfig<SazPolicy>(guest, "policy.json");
  const copies = new Copies(
    config.copies.filter((copy) => copy.guest !== guest.name),
    config.port,
  );
  return serveDecisions(guest, log, config, (parts) => {
    const keyOf = (fields: Readonly<Record<string, string>>): string => sazKey(fields.kind ?? "", fields.value ?? "");
    const bans = parts.follow<Merged>("ban", { keyOf });
    const seen = new SeenValues(parts.follow<Merged>("seen", { keyOf }, { saveEvery: 10_000 }), log);
    const banned = (key: string): string | undefined => {
      const event = bans.merged.get(key);
      return event?.fields.action === "ban" ? event.fields.reason : undefined;
    };
    copies.renew(parts.tls);
    const believes = compileGatekeepers(config.gatekeepers ?? null);
    const tokens = new Tokens({
      issuers: config.issuers ?? [],
      audiences: config.audiences ?? [],
      tls: parts.tls,
      log,
    });
    const rule = config.credentials ?? CREDENTIALS_DEFAULT;
    const trust = new Trust({ config: rule, own: parts.tls.ca, log });
    const credentials = new Credentials(trust, rule.limited);
    const judge = compileJudging({ ...parts, seen, decide: compileSaz(policy, banned) });
    return {
      routes: {
        ...sazRoutes({
          ...parts,
          seen,
          judge,
          explain: (question) => explainSaz(policy, banned, question),
          believes,
          tokens,
          credentials,
        }),
        ...sazSoapRoutes({ ...parts, judge, believes }),
        ...banRoutes({ ...parts, bans, copies }),
      },
      // Hundreds of files; who asks by name need not wait for them.
      start: async () => void trust.start(),
      about: () => ({ unrecorded: seen.unrecorded, trust: trust.about() }),
      renew: (tls) => {
        copies.renew(tls);
        tokens.renew(tls);
        trust.renew(tls.ca);
      },
      close: async () => {
        await trust.close();
        seen.close();
        copies.close();
      },
    };
  });
});
