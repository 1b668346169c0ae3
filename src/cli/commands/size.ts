/** `domus size SITE`: how many machines it needs, what still fits, what to buy next, and how much load it was seen to bear. */
import type { Command } from "commander";
import {
  type AcceptanceReport,
  type AliasCapacity,
  latestCapacity,
  listReports,
  readReport,
} from "../../acceptance/index.ts";
import { Fault, formatSize, type ServiceName } from "../../model/index.ts";
import { formatNumber } from "../../pages/index.ts";
import {
  type AnotherCopy,
  anotherCopyOf,
  type Fit,
  type FitsInput,
  fitOf,
  type HostRoom,
  MOST_COUNTED,
  type Purchase,
  purchasesFor,
  roomOf,
  type Shape,
  type SizeResult,
  shapesOf,
  shapeText,
  size as sizeOf,
} from "../../planner/index.ts";
import { formatMilliseconds, paint, say, sayJson, table } from "../say.ts";
import { type StandingSite, standingSite } from "../standing.ts";
import { guestShape } from "../words.ts";

interface SizeFlags {
  readonly guest?: string;
  readonly hosts?: string;
  readonly json?: boolean;
}

interface SizeAnswer {
  readonly site: string;
  readonly from: StandingSite["from"];
  readonly blueprint: number | null;
  readonly guests: number;
  readonly hosts: number;
  /** Machines needed, with and without virtualization. */
  readonly needs: SizeResult;
  /** Why it cannot be placed on the hosts there are; empty when it can. */
  readonly refusals: readonly string[];
  readonly room: readonly HostRoom[];
  readonly fits: readonly (Omit<Fit, "excused"> & { readonly services: readonly ServiceName[] })[];
  readonly copies: readonly AnotherCopy[];
  /** For guests of which shape. */
  readonly buyFor: Shape | null;
  readonly buy: readonly Purchase[];
  readonly capacity: readonly AliasCapacity[];
  /** Reports that cannot be read, with the reason. */
  readonly unread: readonly string[];
}

export function addSize(program: Command): void {
  program
    .command("size")
    .summary("what still fits, what to buy next")
    .description(
      "Says how many machines a site needs with virtualization and without, how many more guests fit on those it has and how many of them so that any one host may still be lost, what to buy next and what it would give, and how many calls a day its aliases bore in the newest stress test. Changes nothing. Exit status 1: the site does not fit on its hosts.",
    )
    .argument("<site>", "site file, or the name of a site that was brought up")
    .option("--guest <shape>", "count guests of this memory and these processors, e.g. 2GiB,1cpu")
    .option("--hosts <file>", "use the hosts (and network) of this file instead")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExamples:\n  domus size sites/fermigrid-ha.yaml\n  domus size fermigrid-ha --guest 2GiB,1cpu\n  domus size sites/wiki.yaml --json | jq .buy\n\nGiven a name it looks at the site as it is in force, given a file at what the file would become.",
    )
    .action(async (given: string, flags: SizeFlags) => {
      const asked = flags.guest === undefined ? null : guestShape("--guest", flags.guest);
      const answer = await answerFor(await standingSite(given, flags.hosts), asked);
      if (flags.json) sayJson(answer);
      else for (const line of sizeText(answer)) say(line);
      if (answer.refusals.length > 0) process.exitCode = 1;
    });
}

async function answerFor(standing: StandingSite, asked: Shape | null): Promise<SizeAnswer> {
  const { site, blueprint, inventory, refusals, from, directory } = standing;
  const { reports, unread } = keptReports(directory);
  const base = {
    site: site.name,
    from,
    blueprint: from === "in force" ? (blueprint?.number ?? null) : null,
    needs: await sizeOf(site),
    refusals,
    capacity: latestCapacity(reports, site),
    unread,
  };
  if (!blueprint) {
    const guests = base.needs.unvirtualized.hosts;
    return { ...base, guests, hosts: site.hosts.length, room: [], fits: [], copies: [], buyFor: null, buy: [] };
  }
  const input: FitsInput = { site, inventory, blueprint };
  const large = site.hosts.length > LARGE;
  const shapes = asked ? [{ shape: asked, services: [] }] : shapesOf(site).slice(0, large ? 1 : MOST_SHAPES);
  const found = shapes.map(({ shape, services }) => ({ ...fitOf(input, shape), services }));
  const [first] = found;
  return {
    ...base,
    guests: blueprint.guests.length,
    hosts: blueprint.hosts.length,
    room: roomOf(input),
    fits: found.map(({ excused: _, ...fit }) => fit),
    copies: asked ? [] : anotherCopyOf(input),
    buyFor: first?.shape ?? null,
    buy: first && !large ? purchasesFor(input, first.shape, first) : [],
  };
}

/** Shapes that are counted; a site with more has them in --guest, one after the other. */
const MOST_SHAPES = 8;

/** Hosts from which on one shape is counted, and no purchases: each count proves the loss of every host anew, a dozen times. */
const LARGE = 64;

/** A report that cannot be read is said, and hides no other. */
function keptReports(directory: string | null): {
  readonly reports: readonly AcceptanceReport[];
  readonly unread: readonly string[];
} {
  const reports: AcceptanceReport[] = [];
  const unread: string[] = [];
  for (const kept of directory === null ? [] : listReports(directory)) {
    try {
      reports.push(readReport(kept));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      unread.push(error.message);
    }
  }
  return { reports, unread };
}

const few = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
const counted = (number: number): string => `${formatNumber(number)}${number >= MOST_COUNTED ? " or more" : ""}`;
const gain = (number: number): string => (number > 0 ? `+${formatNumber(number)}` : String(number));

function firstSentence({ site, guests, hosts, fits, refusals, needs }: SizeAnswer): string {
  const here = `${paint("bold", site)}: ${guests} guests on ${hosts} ${hosts === 1 ? "host" : "hosts"}`;
  if (refusals.length > 0) {
    const { missing, like } = needs;
    const buy = missing > 0 ? `; buy ${missing} more like ${like}` : "";
    return `${paint("bold", site)}: its ${guests} guests do not fit on its ${hosts} ${hosts === 1 ? "host" : "hosts"}${buy}.`;
  }
  const [fit] = fits;
  if (!fit) return `${here}.`;
  const each = `of ${shapeText(fit.shape)}`;
  if (fit.more === 0) {
    const smaller = fits.find(({ more }) => more > 0);
    return `${here}; no more guest ${each} fits${smaller ? `, but ${counted(smaller.more)} of ${shapeText(smaller.shape)}` : ""}.`;
  }
  const safely = fit.safely === fit.more ? "and" : fit.safely === 0 ? "but none" : `but only ${counted(fit.safely)}`;
  return `${here}; ${counted(fit.more)} more ${each} ${fit.more === 1 ? "fits" : "fit"}, ${safely} so that any one host may still be lost.`;
}

export function sizeText(answer: SizeAnswer): readonly string[] {
  const { needs, room, fits, copies, buy, buyFor, capacity, refusals, from, blueprint } = answer;
  const dim = (...words: readonly string[]) => words.map((word) => paint("dim", word));
  return [
    firstSentence(answer),
    paint(
      "dim",
      from === "in force" ? `  as it is in force (blueprint ${blueprint})` : "  as its file would be planned",
    ),
    ...refusals.map((refusal) => `  ${paint("red", "✗")} ${refusal}`),
    "",
    paint("bold", "Machines needed"),
    `  without virtualization: ${needs.unvirtualized.says}`,
    `  with it: ${needs.virtualized.says}`,
    ...(needs.witness.machines > 0 ? [`  ${needs.witness.says}`] : []),
    ...(room.length > 0 ? ["", paint("bold", "Room"), ...roomLines(room, fits[0] ?? null)] : []),
    ...(fits.length > 0
      ? [
          "",
          paint("bold", "What still fits"),
          ...table([
            dim("guests of", "more", "with N+1", "", ""),
            ...fits.map((fit) => [
              shapeText(fit.shape),
              counted(fit.more),
              counted(fit.safely),
              paint("dim", few(fit.services)),
              fit.says,
            ]),
          ]),
          paint("dim", "  N+1: after the loss of any one host, whatever can restart elsewhere still fits there."),
        ]
      : []),
    ...(copies.length > 0
      ? [
          "",
          paint("bold", "Another copy"),
          ...table(
            copies.map(({ service, host, says }) => [
              service,
              host ? paint("green", says) : `${paint("yellow", "no")}: ${says}`,
            ]),
          ),
        ]
      : []),
    ...(buyFor && buy.length > 0
      ? [
          "",
          paint("bold", "What to buy next") + paint("dim", `  (counted in guests of ${shapeText(buyFor)})`),
          ...table([
            dim("", "more", "with N+1", "then"),
            ...buy.map((one) => [one.title, gain(one.more), gain(one.safely), paint("dim", one.says)]),
          ]),
        ]
      : []),
    "",
    paint("bold", "Load that it bears"),
    ...capacityLines(answer, capacity),
  ];
}

function roomLines(room: readonly HostRoom[], fit: SizeAnswer["fits"][number] | null): readonly string[] {
  const SHOWN = 40;
  return [
    ...table([
      ["host", "memory free", "processors free", ...(fit ? ["used up first"] : [])].map((word) => paint("dim", word)),
      ...room
        .slice(0, SHOWN)
        .map((one, index) => [
          one.host,
          `${formatSize(one.memoryFree)} of ${formatSize(one.memory)}`,
          `${Number(one.cpusFree.toFixed(2))} of ${Number(one.cpus.toFixed(2))}`,
          one.closed
            ? paint("yellow", one.closed)
            : fit
              ? `${fit.byHost[index]!.binds === "both" ? "both" : fit.byHost[index]!.binds}`
              : "",
        ]),
    ]),
    ...(room.length > SHOWN ? [paint("dim", `  and ${room.length - SHOWN} more hosts (--json)`)] : []),
  ];
}

function capacityLines(answer: SizeAnswer, capacity: readonly AliasCapacity[]): readonly string[] {
  const unread = answer.unread.map((says) => `  ${paint("yellow", "!")} ${says}`);
  if (capacity.length === 0)
    return [`  not measured yet: domus accept ${answer.site} stress finds out, once the site is up`, ...unread];
  const millions = (calls: number): string => formatNumber(Number(calls.toPrecision(2)));
  return [
    ...capacity.flatMap((one) => {
      const busy =
        one.idle === null
          ? ""
          : `; processors ${Math.round(one.idle * 100)} % idle, load ${one.loadAverage?.toFixed(1)}`;
      const wanted =
        one.wanted === null
          ? ""
          : one.enough
            ? `, enough for the ${millions(one.wanted)} that the file asks for`
            : paint("red", `, less than the ${millions(one.wanted)} that the file asks for`);
      return [
        `  ${paint("bold", one.alias)}: ${millions(one.callsPerDay)} calls a day (${formatNumber(one.perSecond)}/s, 99 % within ${formatMilliseconds(one.p99Ms)}${busy})${wanted}`,
        `    plan the next server at ${millions(one.nextServerAt)} a day: ${one.next.says}`,
        ...copyLine(one, answer.copies),
        paint(
          "dim",
          `    full first: ${one.full}; measured ${new Date(one.measuredAt).toISOString().slice(0, 10)} (${one.report})`,
        ),
      ];
    }),
    ...unread,
  ];
}

/** The report says where another copy had a place when it was measured; that may have been taken since. */
function copyLine({ next, service }: AliasCapacity, copies: readonly AnotherCopy[]): readonly string[] {
  const copy = next.add === "copy" ? copies.find((one) => one.service === service) : undefined;
  return copy && !copy.host ? [`    no host can take it now: ${copy.says}`] : [];
}
