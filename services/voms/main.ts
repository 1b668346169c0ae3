/** The program of a VOMS guest. */
import { runProgram } from "../serving/index.ts";
import { voms } from "./program.ts";

runProgram(voms);
