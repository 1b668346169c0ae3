/**
 * What authorization costs: GUMS and SAZ, audited, 10,000 identities, against a bare node:https server moving the same bytes, in one run.
 *   bin/node bench/authorization.ts [--quick] [--rounds 5] [--json] [--only rates|both|flood] [--flood kept,new]
 * Kept connections and new ones, past the front end and through it; then both at once; then a flood (`bench/authorization/flood.ts`).
 * Ratios of one run and medians of rounds: the machine is shared, and the rounds of all rows take turns.
 */
import { parseArgs } from "node:util";
import { FLOODS, type Flood, type FloodResult, measureFlood } from "./authorization/flood.ts";
import { House } from "./authorization/house.ts";
import { prefer } from "./authorization/processes.ts";
import { type Both, measureBoth, measureRates, type Rate } from "./authorization/rates.ts";
import { atLeast, atMost } from "./verdict.ts";

const HELP = `bin/node bench/authorization.ts [options]

  --only    rates  calls a second of a bare server, GUMS and SAZ, kept connections and new ones
            both   GUMS and SAZ at the same time, through the front end
            flood  a quiet community beside one that floods
  --flood   which kinds, with commas between: ${Object.keys(FLOODS).join(", ")}
  --rounds  how often each is measured (default 5)
  --quick   shorter: one second a piece, three rounds
  --json    for machines

Give it the machine for itself: the rows say how much of its processor each server had.`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    flood: { type: "string", default: Object.keys(FLOODS).join() },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const rounds = Number(values.rounds) || (values.quick ? 3 : 5);
const milliseconds = values.quick ? 1000 : 3000;
/** What is promised (DESIGN, "Numbers"). */
const RATIO = { json: 0.6, xacml: 0.5 } as const;
const A_DAY = 10_000_000;
const MOST_TIMES = 2;
const WAYS = ["direct", "front end"] as const;
/** Priority of everything but the flood, where this user may give it. */
const PREFERENCE = -10;

const number = (value: number, digits = 0): string => value.toFixed(digits).padStart(8);
const part = (value: number | null): string =>
  value === null ? "      - " : `${(100 * value).toFixed(0).padStart(6)} %`;

function printRates(rates: readonly Rate[]): void {
  console.log(
    `${"".padEnd(32)} calls/s  calls/CPU-s   of bare   server director   client  p99 ms  failed   (medians of ${rounds} rounds)`,
  );
  for (const rate of rates) {
    const name = `${rate.to}${rate.as === "xacml" ? " XACML" : ""}, ${rate.mode === "kept" ? "kept alive" : "new connections"}, ${rate.way}`;
    const promised =
      rate.mode === "kept" && rate.to !== "bare" && rate.way === "direct"
        ? `  ${atLeast(rate.ratio, RATIO[rate.as ?? "json"], "of bare")}`
        : "";
    console.log(
      `${name.padEnd(32)}${number(rate.callsPerSecond)}    ${number(rate.perCpuSecond)}   ${part(rate.ratio)} ${part(rate.serverCpu)} ${part(rate.directorCpu)} ${part(rate.clientCpu)}${number(rate.p99, 2)}${number(rate.failed)}${promised}`,
    );
  }
}

function printBoth(both: Both): void {
  for (const service of ["gums", "saz"] as const) {
    const day = both.callsPerSecond[service] * 86_400;
    console.log(
      `${`${service}, both at once, new, front end`.padEnd(40)}${number(both.callsPerSecond[service])}/s = ${(day / 1e6).toFixed(1)} million a day, p99 ${both.p99[service].toFixed(1)} ms  ${atLeast(day, A_DAY, "a day")}`,
    );
  }
  console.log(`  failed ${both.failed}; the clients themselves used ${part(both.clientCpu).trim()} of one processor`);
}

function printFlood(result: FloodResult): void {
  const { before, during, freshBefore, freshDuring, tsunami } = result;
  const times = ({ p50, p99, max, count }: typeof before): string =>
    count === 0 ? "never" : `p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} max ${max.toFixed(1)} ms (${count})`;
  const { 200: answered = 0, ...others } = tsunami.outcomes;
  console.log(`flood, ${result.way}: ${FLOODS[result.flood].says}`);
  console.log(`  quiet, kept     before ${times(before)}`);
  console.log(
    `                  during ${times(during)}: ${result.ratio.toFixed(1)} times, ${result.quietFailed} refused or failed${result.way === "direct" ? `  ${atMost(result.ratio, MOST_TIMES, "times")}` : ""}`,
  );
  console.log(`  quiet, new      before ${times(freshBefore)}`);
  console.log(`                  during ${times(freshDuring)}, ${result.freshFailed} refused or failed`);
  console.log(
    `  the flood: ${(answered / tsunami.seconds).toFixed(0)}/s answered, others ${JSON.stringify(others)} in ${tsunami.seconds.toFixed(0)} s; answered after ${times(tsunami.good)}; refused after ${times(tsunami.refused)}`,
  );
  console.log(
    `  memory: server ${result.serverMiB.map(Math.round).join(" → ")} MiB, director ${result.directorMiB.map(Math.round).join(" → ")} MiB; processors: server ${part(result.cpu.server!).trim()}, director ${part(result.cpu.director!).trim()}, flood ${part(tsunami.cpuSeconds / tsunami.seconds).trim()}`,
  );
  if (result.quietFailed > 0) process.exitCode = 1;
}

const wants = (what: string): boolean => values.only === "" || values.only === what;
const house = await House.open();
// What else the machine does is not what is measured; clients are children of this process and share its priority.
for (const pid of [process.pid, ...house.pids()]) prefer(pid, PREFERENCE);
try {
  const found: Record<string, unknown> = {};
  if (wants("rates")) {
    const rates = await measureRates(house, rounds, milliseconds);
    found.rates = rates;
    if (!values.json) printRates(rates);
  }
  if (wants("both")) {
    const both = await measureBoth(house, rounds, milliseconds);
    found.both = both;
    if (!values.json) printBoth(both);
  }
  if (wants("flood")) {
    const floods: FloodResult[] = [];
    for (const flood of values.flood.split(",") as Flood[])
      for (const way of WAYS) {
        floods.push(await measureFlood(house, flood, way, rounds, milliseconds));
        if (!values.json) printFlood(floods.at(-1)!);
      }
    found.floods = floods;
  }
  if (values.json) console.log(JSON.stringify(found));
} finally {
  await house.close();
}
