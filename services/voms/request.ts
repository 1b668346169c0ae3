/** What is asked, read from either protocol: the REST call's query, or the older one's element. Bounded; what is wrong is said in a sentence. */
import type { Buffer } from "node:buffer";
import { NameRefused, readStrictXml, SoapRefused, type XmlElement } from "../../src/grid/index.ts";
import { MOST_WISHES, parseOrder, parseWish, type Wish } from "../../src/vo/index.ts";
import { type Query, Refusal } from "../http/index.ts";

export interface AttributeRequest {
  /** In order; none is the organization itself. */
  readonly wishes: readonly Wish[];
  /** Short forms that come first; empty is the order of the wishes. */
  readonly order: readonly string[];
  /** Hosts that may use what is given; empty is any. */
  readonly targets: readonly string[];
  /** Seconds; `null` is as long as may be. */
  readonly lifetime: number | null;
  /** Parameters nobody here knows. */
  readonly unknown: readonly string[];
}

const KNOWN: readonly string[] = ["fqans", "lifetime", "order", "targets"];
const MOST_TARGETS = 64;
const TARGET = /^[A-Za-z0-9_.-]{1,255}$/;

const listed = (text: string): readonly string[] =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");

/** @throws {Refusal} 400 */
function assemble(
  wishes: readonly string[],
  legacy: boolean,
  order: readonly string[],
  targets: readonly string[],
  lifetime: string | null,
  unknown: readonly string[],
): AttributeRequest {
  if (wishes.length > MOST_WISHES || order.length > MOST_WISHES)
    throw new Refusal(400, `at most ${MOST_WISHES} attributes are asked for at once`);
  if (targets.length > MOST_TARGETS || !targets.every((one) => TARGET.test(one)))
    throw new Refusal(400, `targets: expected at most ${MOST_TARGETS} names of hosts`);
  const seconds = lifetime === null || lifetime === "" ? null : Number(lifetime);
  if (seconds !== null && !Number.isInteger(seconds)) throw new Refusal(400, "lifetime: expected a number of seconds");
  try {
    return {
      wishes: wishes.map((one) => parseWish(one, legacy)),
      order: order.map(parseOrder),
      targets,
      // vomsd takes less than nothing for "as long as may be".
      lifetime: seconds === null || seconds <= 0 ? null : seconds,
      unknown,
    };
  } catch (error) {
    if (error instanceof NameRefused) throw new Refusal(400, error.message);
    throw error;
  }
}

/** `GET /generate-ac?fqans=…&lifetime=…&order=…&targets=…` @throws {Refusal} 400 */
export function readRestRequest(query: Query): AttributeRequest {
  return assemble(
    query.getAll("fqans").flatMap(listed),
    false,
    query.getAll("order").flatMap(listed),
    query.getAll("targets").flatMap(listed),
    query.get("lifetime"),
    query.names().filter((name) => !KNOWN.includes(name)),
  );
}

/** `<voms><command>…</command><order>…</order><targets>…</targets><lifetime>…</lifetime>…</voms>` @throws {Refusal} 400 */
export function readLegacyRequest(body: Buffer): AttributeRequest {
  const root = elementOf(body);
  const texts = (name: string): readonly string[] =>
    root.children.filter((one) => one.name === name).map(({ text }) => text.trim());
  const commands = texts("command").flatMap(listed);
  if (root.name !== "voms" || commands.length === 0) throw new Refusal(400, "expected <voms> with a command");
  return assemble(
    commands,
    true,
    texts("order").flatMap(listed),
    texts("targets").flatMap(listed),
    texts("lifetime")[0] ?? null,
    [],
  );
}

function elementOf(body: Buffer): XmlElement {
  try {
    return readStrictXml(body.toString("latin1"));
  } catch (error) {
    if (error instanceof SoapRefused) throw new Refusal(400, error.message);
    throw error;
  }
}
