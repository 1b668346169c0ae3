/** A controller of its own process that is killed at one moment: `doomed.ts DIRECTORY up|change|down STEP MOMENT`. */
import { join } from "node:path";
import { Controller } from "../../src/controller/index.ts";
import { type Moment, sabotage } from "./saboteur.ts";
import { OPTIONS, SocketHosts, stageController, stageSite } from "./stage.ts";

const [directory, work, step, moment] = process.argv.slice(2) as [string, string, string, Moment];
const { parts } = await stageController(join(directory, "state"), new SocketHosts(directory));
const doomed = sabotage(parts, { step, moment });
const controller = new Controller(doomed.parts);
if (work === "down") await controller.down(doomed.watcher);
else await controller.up(stageSite(work === "change" ? "changed" : "first"), OPTIONS, doomed.watcher);
console.log("survived");
process.exit(9);
