/** Serves the pages of a site file over plain HTTP: everything is in memory, so there is no path to escape from and no disk to wait for. */
import { createServer } from "node:http";
import type { StaticSiteConfig } from "../../src/recipes/index.ts";
import { houseDoor } from "../../src/world/index.ts";
import { CONNECTIONS, closeGently, listenOn, SLOW_CLIENTS, trackConnections } from "../http/index.ts";
import { readConfig, runProgram } from "../serving/index.ts";
import { preparePages } from "./pages.ts";

runProgram(async (guest, log) => {
  const config = readConfig<StaticSiteConfig>(guest, "site.json");
  const answer = preparePages(config.pages);
  const server = createServer(SLOW_CLIENTS);
  server.on("request", (request, response) => {
    const { status, headers, body } = answer(
      request.method ?? "GET",
      request.url ?? "/",
      request.headers["if-none-match"],
    );
    if (!request.complete) response.shouldKeepAlive = false;
    response.writeHead(status, headers);
    response.end(request.method === "HEAD" ? undefined : body);
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  trackConnections(server);
  const door = houseDoor(server, {
    directors: config.directors,
    onRefused: (says) => log("connection refused", { says }),
  });
  door.front.maxConnections = CONNECTIONS;
  await listenOn(door.front, config.port, guest.address);
  return () => closeGently(door.front, server);
});
