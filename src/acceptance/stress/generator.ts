/**
 * The load generator: a process of its own, so that its processor time is told apart from the servers', and so that whoever judges is not kept
 * waiting by it. Whoever started it holds its input; when that ends, it ends, whatever it was doing.
 */
import { createInterface } from "node:readline";
import { LoadTimes, runLoad } from "../../probe/index.ts";
import type { Introduction, LoadEnd, LoadTask } from "./task.ts";

// Ctrl-C at a terminal reaches every process of the command: who started this one decides.
process.on("SIGINT", () => {});

let identity: Introduction | null = null;

async function work({ run, options }: LoadTask): Promise<void> {
  const times = new LoadTimes();
  const { secure, believes, ...rest } = options;
  const who = identity?.tls;
  const tls = secure && who ? { ...who, ...(believes === undefined ? {} : { ca: believes }) } : null;
  const report = await runLoad({ ...rest, tls }, times);
  const { response, service, late } = times;
  const end: LoadEnd = {
    run,
    report,
    times: { response: response.value(), service: service.value(), late: late.value() },
  };
  process.stdout.write(`${JSON.stringify(end)}\n`);
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    if (identity === null) {
      identity = JSON.parse(line) as Introduction;
      process.stdout.write("{}\n");
    } else void work(JSON.parse(line) as LoadTask);
  })
  .on("close", () => process.exit(0));
process.stdout.on("error", () => process.exit(0));
