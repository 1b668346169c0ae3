/** SAZ: may this identity use the site? Answers from memory; bans are recorded in the database and followed by every copy. */
import { join } from "node:path";
import type { SazConfig, SazPolicy } from "../../src/recipes/index.ts";
import { Follower, openRecords } from "../records/index.ts";
import {
  Audit,
  json,
  judgeFreshness,
  listenMutually,
  readConfig,
  readTls,
  requireClientChain,
  runProgram,
} from "../serving/index.ts";
import { sazRoutes } from "./calls.ts";
import { Copies } from "./copies.ts";
import { compileSaz, keyOf } from "./decide.ts";

runProgram(async (guest, log) => {
  const config = readConfig<SazConfig>(guest, "saz.json");
  const policy = readConfig<SazPolicy>(guest, "policy.json");
  const tls = readTls(guest);
  await requireClientChain(tls, guest.address);
  const follower = new Follower({
    stream: "ban",
    keyOf: (fields) => keyOf(fields.kind ?? "", fields.value ?? ""),
    records: openRecords(config.database, guest, tls),
    file: join(guest.data, "snapshot.json"),
    onFault: (says) => log("database out of sight", { says }),
    onReturn: () => log("database in sight"),
  });
  await follower.start();
  const audit = new Audit(join(guest.data, "audit.log"), (says) => log("audit", { says }));
  const copies = new Copies(
    config.copies.filter((copy) => copy.guest !== guest.name),
    config.port,
    tls,
  );
  const decide = compileSaz(policy, (key) => {
    const event = follower.merged.get(key);
    return event?.fields.action === "ban" ? event.fields.reason : undefined;
  });
  const freshness = () => judgeFreshness(config.stale, follower.seen, follower.fault, Date.now());
  const server = await listenMutually({
    tls,
    address: guest.address,
    port: config.port,
    directors: config.directors,
    routes: {
      ...sazRoutes({ guest: guest.name, follower, audit, copies, decide, freshness }),
      "GET /health": () => {
        const now = freshness();
        return json(now.state === "stale" ? 503 : 200, {
          ...now,
          guest: guest.name,
          cursor: follower.cursor(),
          auditLost: audit.lost,
        });
      },
    },
    log,
  });
  return async () => {
    await server.close();
    copies.close();
    await follower.close();
    audit.close();
  };
});
