import type { Command } from "commander";
export function addProbe(_: Command): void {}
