/** SAZ: may this identity use the site? Answers from memory; bans are recorded in the database and followed by every copy. */
import { compileSaz, type SazPolicy, sazKey } from "../../src/policy/index.ts";
import type { SazConfig } from "../../src/recipes/index.ts";
import { serveDecisions } from "../deciding/index.ts";
import { readConfig, runProgram } from "../serving/index.ts";
import { sazRoutes } from "./calls.ts";
import { Copies } from "./copies.ts";

runProgram(async (guest, log) => {
  const config = readConfig<SazConfig>(guest, "saz.json");
  const policy = readConfig<SazPolicy>(guest, "policy.json");
  const copies = new Copies(
    config.copies.filter((copy) => copy.guest !== guest.name),
    config.port,
  );
  return serveDecisions(guest, log, config, {
    stream: "ban",
    keyOf: (fields) => sazKey(fields.kind ?? "", fields.value ?? ""),
    routes: (parts, tls) => {
      copies.renew(tls);
      const decide = compileSaz(policy, (key) => {
        const event = parts.follower.merged.get(key);
        return event?.fields.action === "ban" ? event.fields.reason : undefined;
      });
      return sazRoutes({ ...parts, copies, decide });
    },
    renew: (tls) => copies.renew(tls),
    close: () => copies.close(),
  });
});
