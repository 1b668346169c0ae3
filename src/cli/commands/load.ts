import type { Command } from "commander";
export function addLoad(_: Command): void {}
