/** Where a page goes that somebody asked for with `--html FILE`. */
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../model/index.ts";
import { writeFileDurably } from "../world/index.ts";

/** @throws Fault `usage.invalid` when it cannot be a file there, `disk.full` */
export function writePage(file: string, page: string): void {
  const refuse = (reason: string): never => {
    throw new Fault("usage.invalid", { reason: `--html ${file}: ${reason}` });
  };
  const directory = dirname(file);
  if (!existsSync(directory)) refuse(`there is no directory ${directory}`);
  if (existsSync(file) && statSync(file).isDirectory()) refuse("it is a directory");
  try {
    writeFileDurably(file, page, 0o644);
  } catch (error) {
    if (error instanceof Fault && error.code === "store.unwritable")
      refuse(error.about.reason ?? "it cannot be written");
    throw error;
  }
}
