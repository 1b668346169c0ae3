/**
 * What stress tests have measured, as somebody asks who plans machines: how many calls a day each alias bears, how busy the machines were
 * then, and when the next server is due (P6; the documents plan it at 75 % of the measured maximum).
 */
import { type Objectives, objectivesOf, type Site } from "../model/index.ts";
import type { AcceptanceReport, StressPart, StressStep } from "./contract.ts";
import { MARK } from "./stress/judging.ts";

export interface AliasCapacity {
  readonly alias: string;
  readonly service: string | null;
  /** Milliseconds since the epoch, and the report's id. */
  readonly measuredAt: number;
  readonly report: string;
  /** Within the objectives. */
  readonly callsPerDay: number;
  readonly perSecond: number;
  /** 99th percentile there, milliseconds. */
  readonly p99Ms: number;
  /** Plan the next server when so many calls a day come. */
  readonly nextServerAt: number;
  /** Load average of a minute and idle share of all processors at that load; `null`: not written down. */
  readonly loadAverage: number | null;
  readonly idle: number | null;
  /** What was full first, and what to add. */
  readonly full: string;
  readonly next: StressPart["next"];
  /** What the site file asks for; `null`: as many as there are. */
  readonly wanted: number | null;
  /** `null`: nothing is asked for. */
  readonly enough: boolean | null;
}

/** The step of the load that was borne: of those at which the objectives held the nearest to it. */
function kneeStep({ steps, knee }: StressPart): StressStep | null {
  const away = ({ answeredPerSecond }: StressStep): number => Math.abs(answeredPerSecond - knee.perSecond);
  return steps
    .filter(({ kept }) => kept)
    .reduce((best: StressStep | null, step) => (best && away(best) <= away(step) ? best : step), null);
}

/**
 * @param parts of one report
 * @param objectives of a part's service
 */
export function capacityOf(
  parts: readonly StressPart[],
  report: Pick<AcceptanceReport, "id" | "startedAt">,
  objectives: (service: string | null) => Pick<Objectives, "callsPerDay">,
): readonly AliasCapacity[] {
  return parts.map((part) => {
    const step = kneeStep(part);
    const callsPerDay = part.callsPerDay ?? part.knee.perSecond * 86_400;
    const wanted = objectives(part.service).callsPerDay;
    return {
      alias: part.alias,
      service: part.service,
      measuredAt: report.startedAt,
      report: report.id,
      callsPerDay,
      perSecond: part.knee.perSecond,
      p99Ms: part.knee.p99Ms,
      nextServerAt: part.nextServerAt ?? callsPerDay * MARK,
      loadAverage: step?.loadAverage ?? null,
      idle: step?.idle ?? null,
      full: part.saturated.says || part.saturated.tier,
      next: part.next,
      wanted,
      enough: wanted === null ? null : callsPerDay >= wanted,
    };
  });
}

/** @returns for each alias of a site what its newest stress test measured, in the site's order; an alias without one is not in it */
export function latestCapacity(reports: readonly AcceptanceReport[], site: Site): readonly AliasCapacity[] {
  const newest = new Map<string, AliasCapacity>();
  const services = new Map<string, Site["services"][number]>(site.services.map((one) => [one.name, one]));
  const objectives = (service: string | null) =>
    objectivesOf(site, service === null ? undefined : services.get(service));
  for (const report of [...reports].sort((a, b) => a.startedAt - b.startedAt))
    for (const { parts } of report.tests) {
      const stress = parts.filter((part): part is StressPart => part.test === "stress");
      for (const one of capacityOf(stress, report, objectives)) newest.set(one.alias, one);
    }
  const order = site.services.flatMap(({ alias, also }) => [alias?.name, also?.name]);
  return [...newest.values()].sort((a, b) => order.indexOf(a.alias as never) - order.indexOf(b.alias as never));
}
