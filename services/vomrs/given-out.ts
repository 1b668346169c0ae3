/**
 * What is given out to programs at stable addresses: a line of `vomses` and the `.lsc` file to anybody, lists of members to machines that make
 * grid-mapfiles of them (nordugridmap, GUMS): machines of the site, those with a host's certificate of a trusted authority, and whoever decides about people.
 */
import {
  formatLsc,
  formatVomses,
  NameRefused,
  parseFqan,
  readCertificate,
  readPemCertificates,
  readRpcCall,
  SoapRefused,
  writeRpcAnswer,
} from "../../src/grid/index.ts";
import type { VomsServerName } from "../../src/recipes/index.ts";
import { placesOf, standingOf, type VoDefinition, type VoFacts } from "../../src/vo/index.ts";
import { soapAnswer, soapCall } from "../deciding/index.ts";
import { type Answer, type Call, json, Refusal } from "../http/index.ts";
import type { Freshness, Log } from "../serving/index.ts";
import type { Caller, Callers } from "./callers.ts";
import type { Registration } from "./doing.ts";
import { oversees } from "./scene.ts";

const COMPATIBILITY = "http://glite.org/wsdl/services/org.glite.security.voms.service.compatibility";
const TEXT = "text/plain; charset=utf-8";

export interface ServerNames {
  readonly vomses: (vo: string) => string;
  readonly lsc: () => { readonly name: string; readonly text: string };
}

/** @param pem of the VOMS server's certificate and of its authority */
export function serverNames(server: VomsServerName, pem: { readonly cert: string; readonly ca: string }): ServerNames {
  const [leaf] = readPemCertificates(pem.cert);
  const [authority] = readPemCertificates(pem.ca);
  const subject = readCertificate(leaf!.der).subject.normal;
  const { host, port } = server;
  return {
    vomses: (vo) => formatVomses([{ alias: vo, host, port, dn: subject, vo }]),
    lsc: () => ({
      name: `${host}.lsc`,
      text: formatLsc({ vo: "", host, chains: [[subject, authority!.subject.normal]] }),
    }),
  };
}

/**
 * @param container a group or role, or nothing for everybody
 * @returns normal forms of the names of its members' certificates, in order, each once
 * @throws {NameRefused} when it is no FQAN
 */
export function membersOf(vo: VoDefinition, facts: VoFacts, container: string, now: number): readonly string[] {
  const { group, role } = container === "" ? { group: `/${vo.name}`, role: null } : parseFqan(container);
  const wanted = role === null ? group : `${group}/Role=${role}`;
  const names = new Set<string>();
  for (const person of facts.people.values()) {
    if (standingOf(vo, facts, person, now).state !== "member" || !placesOf(vo, person).includes(wanted)) continue;
    for (const { kind, state, subject } of person.identities.values())
      if (kind === "certificate" && state === "good") names.add(subject);
  }
  return [...names].sort();
}

export interface GivenOutOptions {
  readonly registration: Registration;
  readonly callers: Callers;
  readonly names: ServerNames;
  /** A copy that has not seen its database for too long names nobody, where the site file says so. */
  readonly freshness: () => Freshness;
  readonly log: Log;
}

/** @returns answers what is at an address below an organization's; `null` for what is not here */
export function givenOut({
  registration,
  callers,
  names,
  freshness,
  log,
}: GivenOutOptions): (call: Call) => Promise<Answer | null> {
  const members = async (caller: Caller, vo: string, container: string): Promise<readonly string[]> => {
    const scene = registration.scene(vo, caller);
    const may = caller.site !== null || caller.host || oversees(scene);
    if (!may)
      throw new Refusal(403, "names of members are for machines with a host's certificate and for representatives");
    const { state, says } = freshness();
    if (state === "stale") throw new Refusal(503, says);
    return membersOf(scene.vo, scene.facts, container, scene.now);
  };
  const rpc = async (
    call: Call,
    vo: string,
    name: { operation: string; space: string },
    container: string,
  ): Promise<Answer> => {
    try {
      return soapAnswer(writeRpcAnswer(name, await members(await callers.of(call), vo, container)));
    } catch (error) {
      if (error instanceof NameRefused) throw new SoapRefused(`container: ${error.message}`);
      throw error;
    }
  };
  const soap = (vo: string) =>
    soapCall(log, async (call) => {
      if (call.method === "GET") {
        if (call.query.get("method") !== "getGridmapUsers") throw new SoapRefused("method: expected getGridmapUsers");
        return rpc(call, vo, { operation: "getGridmapUsers", space: COMPATIBILITY }, call.query.get("container") ?? "");
      }
      const asked = readRpcCall(call.request.body);
      if (asked.operation !== "getGridmapUsers") throw new SoapRefused("expected getGridmapUsers");
      return rpc(call, vo, asked, asked.parameters[0]?.value ?? "");
    });

  return async (call) => {
    const [, vo = "", rest = ""] = /^\/voms\/([^/]+)\/(.+)$/.exec(call.path) ?? [];
    if (registration.book.definition(vo) === undefined) return null;
    const { name, text } = names.lsc();
    if (rest === "services/VOMSCompatibility") return soap(vo)(call);
    if (call.method !== "GET") return null;
    if (rest === "vomses") return { status: 200, type: TEXT, body: names.vomses(vo) };
    if (rest === name) return { status: 200, type: TEXT, body: text };
    if (rest !== "members") return null;
    const fqan = call.query.get("fqan") ?? "";
    try {
      return json(200, {
        result: "OK",
        vo,
        fqan: fqan || `/${vo}`,
        members: await members(await callers.of(call), vo, fqan),
      });
    } catch (error) {
      if (error instanceof NameRefused) throw new Refusal(400, `fqan: ${error.message}`);
      throw error;
    }
  };
}
