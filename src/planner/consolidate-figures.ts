/** The figures of a consolidation as people read them, each with what it is reckoned from: the same in text and on the page. */
import type { Assumptions } from "../model/index.ts";
import { formatNumber } from "../pages/index.ts";
import type { BeforeAfter, Consolidation, ConsolidationRange } from "./consolidate.ts";

/** Two digits: more would claim what the assumptions do not know. */
export function roughly(value: number): string {
  return formatNumber(Number(value.toPrecision(2)));
}

/** `4.4 to 8 (~4-8x)`. */
export function rangeText({ low, high, highAtLeast }: ConsolidationRange): string {
  if (low === high && !highAtLeast) return `${low.toFixed(1)} (~${Math.round(low)}x)`;
  const end = `${highAtLeast ? "at least " : ""}${formatNumber(high)}`;
  return `${low.toFixed(1)} to ${end} (~${Math.round(low)}-${Math.round(high)}x)`;
}

export interface Figure {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  /** Negative savings are said as what they are. */
  readonly saved: string;
  /** What it is reckoned from. */
  readonly because: string;
}

/** @returns `2,000 EUR` */
function money(amount: number, { currency }: Assumptions): string {
  return `${formatNumber(amount)} ${currency}`;
}

/** Machines, power, energy, space and money, before and after. */
export function figuresOf({ savings, assumptions: of, about }: Consolidation): readonly Figure[] {
  const figure = (
    name: string,
    { before, after }: BeforeAfter,
    unit: string,
    because: string,
    show: (value: number) => string = roughly,
  ): Figure => {
    const saved = before - after;
    const says = (value: number) => `${show(value)}${unit}`;
    return {
      name,
      before: says(before),
      after: says(after),
      saved: saved < 0 ? `${says(-saved)} more` : says(saved),
      because,
    };
  };
  const count = (value: number): string => `${about ? "~" : ""}${formatNumber(value)}`;
  const horizon = savings.byYear.at(-1)!;
  const perYear = `${money(of["price-per-kwh"], of)} for a kWh`;
  return [
    figure("machines", savings.machines, "", "one for each guest", count),
    figure(
      "power",
      savings.kilowatts,
      " kW",
      `${of["watts-per-machine"]} W a machine; ${of["watts-per-host"]} W a host and ${of["watts-per-guest"]} W a guest; times ${of.cooling} for cooling and supply`,
    ),
    figure(
      "energy in a year",
      { before: savings.energy.before / 1000, after: savings.energy.after / 1000 },
      " MWh",
      "that power, all year",
    ),
    figure(
      "space",
      savings.rackUnits,
      " rack units",
      `${of["units-per-machine"]} a machine, ${of["units-per-host"]} a host`,
      count,
    ),
    figure(
      "purchase",
      savings.purchase,
      ` ${of.currency}`,
      `${money(of["price-per-machine"], of)} a machine, ${money(of["price-per-host"], of)} a host`,
    ),
    figure("paid for energy in a year", savings.energyPrice, ` ${of.currency}`, perYear),
    figure(
      `paid in ${of.years} ${of.years === 1 ? "year" : "years"}`,
      horizon,
      ` ${of.currency}`,
      `energy, and everything bought again every ${of.life} ${of.life === 1 ? "year" : "years"}`,
    ),
  ];
}
