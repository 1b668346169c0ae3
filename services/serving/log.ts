/** One JSON line for each thing worth knowing, to standard output, where the host keeps it. No secrets, no stack traces of expected errors. */

export type Log = (event: string, about?: Readonly<Record<string, unknown>>) => void;

/** @param guest name that stands in each line */
export function createLog(guest: string, write: (line: string) => void = (line) => process.stdout.write(line)): Log {
  return (event, about = {}) => {
    write(`${JSON.stringify({ at: new Date().toISOString(), guest, event, ...about })}\n`);
  };
}
