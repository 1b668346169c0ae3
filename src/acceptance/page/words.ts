/** Numbers as the pages write them. */
import { formatNumber } from "../../pages/index.ts";

export const number = formatNumber;

/** @param seconds `0.032` → `32 ms`, `75` → `1 min 15 s` */
export function duration(seconds: number): string {
  if (seconds === 0) return "0 s";
  if (seconds < 0.01) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`;
  const whole = Math.round(seconds);
  return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export const milliseconds = (value: number): string => duration(value / 1000);
