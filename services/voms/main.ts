/**
 * The programs of a VOMS guest: VOMS, and beside it, where the site has an alias for it, VOMRS. Both come in one bundle; the first is started by
 * the host and starts the second.
 */
import type { VomsConfig } from "../../src/recipes/index.ts";
import { endWithFirst, type Guest, type Log, readConfig, runProgram, startBeside } from "../serving/index.ts";
import { vomrs } from "../vomrs/program.ts";
import { voms } from "./program.ts";

const SECOND = "vomrs";

if (process.argv[2] === SECOND) {
  endWithFirst();
  runProgram(vomrs);
} else
  runProgram(async (guest: Guest, log: Log) => {
    const close = await voms(guest, log);
    const { registration } = readConfig<VomsConfig>(guest, "voms.json");
    const beside = registration ? startBeside(SECOND, log) : null;
    return async () => {
      await Promise.all([close(), beside?.close()]);
    };
  });
