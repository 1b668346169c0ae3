/**
 * Which port a service really listens on. The embedded default runs without privileges, and ports below 1024 ask for them, so there they
 * become 8000 + port, always: a port that sometimes moves is a port nobody can write down. Refused: asking the machine whether it allows
 * low ports, because then the same site would give different bytes on two machines.
 */

/**
 * @param target `embedded`: processes on one machine; `real`: guests with a kernel of their own.
 * @param port as the site file or the recipe says it.
 * @returns the port in use; giving a result back in changes nothing.
 */
export function portFor(target: "embedded" | "real", port: number): number {
  return target === "embedded" && port < 1024 ? 8000 + port : port;
}
