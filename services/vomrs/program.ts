/**
 * VOMRS: where people apply to a virtual organization, are approved, ask for groups and roles, sign the rules and leave; and where programs
 * fetch who is in it. A copy answers from memory and writes into the site's database; two run side by side, and neither keeps anything that the
 * other one would miss: no sessions, no queue.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { VomrsConfig } from "../../src/recipes/index.ts";
import { VOMS_TLS } from "../../src/recipes/index.ts";
import { type Call, errorAnswer, json, listenMutually, Refusal } from "../http/index.ts";
import { Follower, openRecords } from "../records/index.ts";
import {
  type Close,
  type Freshness,
  type Guest,
  judgeFreshness,
  type Log,
  readConfig,
  readTls,
  requireClientChain,
  StartRefused,
  watchTls,
} from "../serving/index.ts";
import { Trust } from "../trust/index.ts";
import { Callers } from "./callers.ts";
import { Chronicle } from "./chronicle.ts";
import { Registration } from "./doing.ts";
import { givenOut, type ServerNames, serverNames } from "./given-out.ts";
import { jsonRoutes } from "./json.ts";
import { Mailer } from "./mail/mailer.ts";
import { Post } from "./mail/post.ts";
import { Pages } from "./pages/index.ts";
import { recordRules } from "./rules.ts";
import { Sealing } from "./sealing.ts";

/** Milliseconds between two snapshots: all that was ever said is in them. */
const SAVE_EVERY = 5000;

function need<Read>(path: string, read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    throw new StartRefused(`${path}: ${(error as Error).message}`);
  }
}

function namesOf(guest: Guest, config: VomrsConfig): ServerNames {
  const directory = join(guest.root, VOMS_TLS);
  const text = (name: string): string => readFileSync(join(directory, name), "utf8");
  return need(directory, () => serverNames(config.voms, { cert: text("cert.pem"), ca: text("ca.pem") }));
}

/**
 * Starts a copy.
 * @throws {StartRefused} for a file that is missing or makes no sense; the system's error when the port is taken
 */
export async function vomrs(guest: Guest, log: Log): Promise<Close> {
  const config = readConfig<VomrsConfig>(guest, "vomrs.json");
  const tls = readTls(guest);
  const names = namesOf(guest, config);
  const secret = join(guest.root, "etc", "secrets", config.key);
  const sealing = need(secret, () => new Sealing(readFileSync(secret, "utf8")));
  await requireClientChain(tls, guest.address);
  const trust = new Trust({
    config: { authorities: config.authorities, vomsdir: null, refresh: config.refresh },
    own: tls.ca,
    log,
  });
  const callers = new Callers({
    trust,
    tls,
    issuers: [...new Set(config.vos.flatMap(({ issuers }) => issuers))],
    audience: config.url,
    log,
  });
  const records = openRecords(config.database, guest, tls);
  const book = new Chronicle(config.vos);
  const follower: Follower<Chronicle> = new Follower({
    stream: "vo",
    fold: book,
    records,
    file: join(guest.data, "snapshot-vomrs.json"),
    saveEvery: SAVE_EVERY,
    onChange: () => post?.changed(),
    onFault: (says) => log("database out of sight", { says }),
    onReturn: () => log("database in sight"),
    onSnapshot: (says) => log("snapshot", { stream: "vo", says }),
  });
  const { mail, url, copies } = config;
  const post =
    mail === null
      ? null
      : new Post({
          follower,
          mailer: new Mailer(mail),
          url,
          operators: mail.operators,
          code: (vo, person, email, until) => sealing.code({ vo, person, email, until }),
          guest: guest.name,
          copies,
          log,
        });
  const freshness = (): Freshness =>
    judgeFreshness(config.stale, follower.seen, follower.fault, follower.seen + (follower.age() ?? 0));
  const registration = new Registration(follower, {
    book,
    sealing,
    mail: mail !== null,
    certificate: (pem) => callers.read(pem),
  });
  const pages = new Pages({ registration, callers, sealing, freshness, ...names });
  const given = givenOut({ registration, callers, names, freshness, log });
  await trust.start();
  await follower.start();
  const stopRules = recordRules(follower, guest.name, log);
  post?.start();

  const health = ({ peer }: Call) => {
    if (peer.unit === "other") return errorAnswer(403, "health is for machines and operators of the site");
    const now = freshness();
    const { queued, refused } = server.load();
    const more = { mail: post?.about() ?? null, trust: trust.about(), queued, refused };
    const about = { ...now, guest: guest.name, cursors: { vo: follower.cursor() }, ...more };
    return json(now.state === "stale" ? 503 : 200, about);
  };
  const otherwise = async (call: Call) => {
    try {
      const answer = (await given(call)) ?? (await pages.answer(call));
      return answer ?? errorAnswer(404, `nothing is at ${call.path.slice(0, 100)}`);
    } catch (error) {
      if (error instanceof Refusal) return errorAnswer(error.status, error.message);
      throw error;
    }
  };
  const server = await listenMutually({
    tls,
    address: guest.address,
    port: config.port,
    directors: config.directors,
    communities: config.communities ?? [],
    admit: callers.admit,
    routes: {
      ...jsonRoutes(registration, callers),
      "GET /health": health,
      "GET /load": ({ peer }) =>
        peer.unit === "operator" ? json(200, server.load()) : errorAnswer(403, "the load is shown to operators"),
    },
    otherwise,
    log,
  });
  const unwatch = watchTls(guest, log, (renewed) => {
    server.renew(renewed);
    records.renew(renewed);
    callers.renew(renewed);
  });
  return async () => {
    unwatch();
    stopRules();
    await server.close();
    await post?.close();
    await trust.close();
    await follower.close();
  };
}
