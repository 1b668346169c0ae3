/** GUMS: identity (and FQAN) to account for a host, as JSON over mutual TLS. Decides from memory; the database is only followed. */
import { join } from "node:path";
import type { GumsConfig, GumsPolicy } from "../../src/recipes/index.ts";
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
import { gumsRoutes } from "./calls.ts";
import { compilePolicy } from "./policy.ts";

runProgram(async (guest, log) => {
  const config = readConfig<GumsConfig>(guest, "gums.json");
  const policy = readConfig<GumsPolicy>(guest, "policy.json");
  const tls = readTls(guest);
  await requireClientChain(tls, guest.address);
  const follower = new Follower({
    stream: "mapping",
    keyOf: (fields) => fields.subject ?? "",
    records: openRecords(config.database, guest, tls),
    file: join(guest.data, "snapshot.json"),
    onFault: (says) => log("database out of sight", { says }),
    onReturn: () => log("database in sight"),
  });
  await follower.start();
  const audit = new Audit(join(guest.data, "audit.log"), (says) => log("audit", { says }));
  const decide = compilePolicy(policy, (subject) => {
    const event = follower.merged.get(subject);
    return event?.fields.action === "add"
      ? { account: event.fields.account ?? "", groupname: event.fields.groupname ?? "" }
      : undefined;
  });
  const freshness = () => judgeFreshness(config.stale, follower.seen, follower.fault, Date.now());
  const server = await listenMutually({
    tls,
    address: guest.address,
    port: config.port,
    directors: config.directors,
    routes: {
      ...gumsRoutes({ guest: guest.name, policy, follower, audit, decide, freshness }),
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
    await follower.close();
    audit.close();
  };
});
