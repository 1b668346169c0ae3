/** Stands in a guest whose service is not implemented yet, and says so: 501 to everything, so that nobody takes it for the real one. */
import type { PlaceholderConfig } from "../../src/recipes/index.ts";
import { json, listenMutually } from "../http/index.ts";
import { readConfig, readTls, runProgram, watchTls } from "../serving/index.ts";

runProgram(async (guest, log) => {
  const config = readConfig<PlaceholderConfig>(guest, "placeholder.json");
  const server = await listenMutually({
    tls: readTls(guest),
    address: guest.address,
    port: config.port,
    directors: config.directors,
    routes: {},
    otherwise: () => json(501, { state: "not-implemented", says: config.says }),
    log,
  });
  watchTls(guest, log, server.renew);
  return server.close;
});
