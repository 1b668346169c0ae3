/** VOMRS as a program of its own. */
import { runProgram } from "../serving/index.ts";
import { vomrs } from "./program.ts";

runProgram(vomrs);
