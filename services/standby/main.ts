/** The database guest without a database: MariaDB is not installed on this machine, and another guest has the one SQLite file. */
import type { DatabaseConfig } from "../../src/recipes/index.ts";
import { json, listenMutually } from "../http/index.ts";
import { readConfig, readTls, runProgram, watchTls } from "../serving/index.ts";

runProgram(async (guest, log) => {
  const config = readConfig<DatabaseConfig>(guest, "database.json");
  const says = `MariaDB is not installed on this machine; ${config.holder} has the one database`;
  const server = await listenMutually({
    tls: readTls(guest),
    address: guest.address,
    port: config.healthPort,
    directors: [],
    routes: { "GET /health": () => json(200, { state: "standby", writable: false, says }) },
    log,
  });
  watchTls(guest, log, server.renew);
  return server.close;
});
