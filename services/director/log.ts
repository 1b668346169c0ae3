/** Structured lines on standard output, which the host keeps: one JSON object a line, never a secret, never a client's octets. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;
export type Log = (level: "info" | "warning" | "error", msg: string, facts?: Facts) => void;

/** @param guest name of this guest, put into every line */
export function createLog(guest: string): Log {
  // Whoever read our output may be gone (a supervisor that crashed); that is no reason to stop serving.
  process.stdout.on("error", () => {});
  return (level, msg, facts = {}) => {
    process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), level, guest, msg, ...facts })}\n`);
  };
}
