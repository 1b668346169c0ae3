/** A bare server as a process of its own: against it the load generator's own limit is measured. Ends with its input. */
import { createInterface } from "node:readline";
import { startBareServer } from "../../world/index.ts";
import type { BareTask } from "./task.ts";

process.on("SIGINT", () => {});
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { tls, body } = JSON.parse(line) as BareTask;
    void startBareServer({ tls, body, address: "127.0.0.1" }).then((port) => process.stdout.write(`${port}\n`));
  })
  .on("close", () => process.exit(0));
process.stdout.on("error", () => process.exit(0));
