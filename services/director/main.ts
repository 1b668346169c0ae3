/**
 * The director: one of the pair that holds the site's aliases and spreads connections over the copies behind them.
 * It needs nothing of Domus while it runs: what it must know stands in its own files, and its peer tells it the rest.
 * SIGHUP reads copies, limits and certificates again without touching what runs; SIGTERM hands over to the peer.
 */
import { join } from "node:path";
import type { DirectorConfig } from "../../src/model/index.ts";
import { quietBackground } from "../../src/world/index.ts";
import { Checker } from "./checker.ts";
import { ConfigProblem, parseConfig, readEnvironment, readIdentity, readText } from "./config.ts";
import { FrontEnd } from "./front-end.ts";
import { type Line, openLine } from "./heartbeat.ts";
import { watchLoop } from "./lag.ts";
import { createLog } from "./log.ts";
import { Pair } from "./pair.ts";
import { openStatus } from "./status-server.ts";
import { TIMING } from "./timing.ts";
import { keepAliveFile } from "./watchdog.ts";

async function run(): Promise<void> {
  await quietBackground();
  const place = readEnvironment(process.env);
  const log = createLog(place.guest);
  const file = join(place.root, "etc", "director.json");
  const read = (): DirectorConfig => parseConfig(readText(file), "etc/director.json");
  const config = read();
  let identity = readIdentity(place.root);
  const key = config.peer ? readText(join(place.root, "etc", "secrets", config.peer.secret)).trim() : "";

  const stopWatchdog = keepAliveFile(place.root);
  const loop = watchLoop((milliseconds) => log("warning", "stood still", { milliseconds: Math.round(milliseconds) }));
  const front = new FrontEnd(config.aliases, config.address, place.data, log);
  const checker = new Checker(config.address, loop);
  let line: Line | null = null;
  const announce = () => line?.say(pair.beat());
  const pair = new Pair({ config, peers: place.peers, key, front, loop, log, announce });
  const startedAt = Date.now();

  const status = await openStatus({ address: config.address, port: config.ports.status }, identity, {
    health: () => ({
      state: pair.role,
      term: pair.term,
      peer: pair.peerStatus()?.state ?? null,
    }),
    status: () => ({
      format: 1,
      guest: config.guest,
      role: pair.role,
      term: pair.term,
      since: pair.since,
      startedAt,
      peer: pair.peerStatus(),
      lastTakeover: pair.lastTakeover,
      longestStallMs: loop.longest(),
      aliases: front.status(pair.role === "active"),
    }),
  });
  if (config.peer) {
    line = await openLine({
      own: { address: config.address, port: config.ports.heartbeat },
      peer: { ...config.peer, port: config.ports.heartbeat },
      identity,
      log,
      events: {
        onBeat: (beat) => pair.onBeat(beat),
        onCut: () => pair.onCut(),
        onRefused: () => pair.onRefused(),
      },
    });
  }
  checker.watch(front.aliases, identity);
  const pulse = setInterval(() => {
    announce();
    pair.look();
  }, TIMING.heartbeat);
  pair.look();
  log("info", "started", { address: config.address, aliases: config.aliases.length, copy: config.copy });

  process.on("SIGHUP", () => {
    try {
      const next = read();
      identity = readIdentity(place.root);
      front.reshape(next.aliases);
      checker.watch(front.aliases, identity);
      line?.renew(identity);
      status.setSecureContext({ ca: identity.ca, cert: identity.cert, key: identity.key });
      log("info", "read its files again", { aliases: next.aliases.length });
    } catch (error) {
      if (!(error instanceof ConfigProblem)) throw error;
      log("error", "goes on with what it had", { reason: error.message });
    }
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log("info", "stops", { signal });
      clearInterval(pulse);
      checker.close();
      pair.leave();
      stopWatchdog();
      // The news that we leave must be out before the line is cut.
      setTimeout(() => process.exit(0), 50);
    });
  }
}

run().catch((error: NodeJS.ErrnoException) => {
  const says =
    error instanceof ConfigProblem || error.syscall === "listen" ? error.message : (error.stack ?? error.message);
  process.stderr.write(`director: ${says}\n`);
  process.exit(error instanceof ConfigProblem ? 2 : 3);
});
