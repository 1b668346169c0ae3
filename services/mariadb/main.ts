/** The agent of a MariaDB guest: makes and runs the server, keeps its place in the ring, and answers for its health. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseConfig } from "../../src/recipes/index.ts";
import { json, listenMutually } from "../http/index.ts";
import { readConfig, readTls, runProgram, watchTls } from "../serving/index.ts";
import { install } from "./install.ts";
import { CAUGHT_UP, Ring, type RingHealth } from "./ring.ts";
import { startServer } from "./server.ts";
import { VomsdView } from "./vomsd/index.ts";

runProgram(async (guest, log) => {
  const config = readConfig<DatabaseConfig>(guest, "database.json");
  const tls = readTls(guest);
  let health: () => RingHealth | { state: "starting"; writable: false; says: string } = () => ({
    state: "starting",
    writable: false,
    says: "the data directory is made or the server starts",
  });
  const server = await listenMutually({
    tls,
    address: guest.address,
    port: config.healthPort,
    directors: [],
    routes: {
      "GET /health": () => {
        const now = health();
        return json(now.state === "ok" ? 200 : 503, now);
      },
    },
    log,
  });
  const installation = await install(guest, config.position);
  const marker = join(guest.data, "mariadb", CAUGHT_UP);
  if (installation.fresh) rmSync(marker, { force: true });
  log("data directory", {
    milliseconds: Math.round(performance.now()),
    fresh: installation.fresh,
    user: installation.user,
    serverId: installation.serverId,
  });
  const database = await startServer(guest, config, installation, log);
  log("mariadbd", { milliseconds: Math.round(performance.now()), pid: database.process.pid });
  let stopping = false;
  database.ended.then((says) => {
    if (stopping) return;
    log("cannot go on", { says });
    process.exit(1);
  });
  const ring = new Ring(guest, config, installation, tls, log, existsSync(marker));
  await ring.start();
  health = () => ring.health;
  const view = new VomsdView({ vos: config.vos ?? [], connect: () => ring.connectRoot(), log });
  if (config.vos) view.start();
  const unwatch = watchTls(guest, log, (renewed) => {
    server.renew(renewed);
    // Keys of a server that is its own user's are copies, made at start; the host replaces that guest instead.
    ring.renew(renewed);
  });
  return async () => {
    stopping = true;
    unwatch();
    ring.close();
    await view.close();
    await Promise.all([server.close(), database.stop()]);
  };
});
