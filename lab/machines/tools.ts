/** Programs of the system, with arguments and never through a shell. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { Fault } from "../../src/model/index.ts";
import { programPath } from "../../src/world/index.ts";

/** What simulated hosts need, and the package of Debian that has it. */
const NEEDS: readonly (readonly [program: string, pack: string])[] = [
  ["ip", "iproute2"],
  ["unshare", "util-linux"],
  ["libvirtd", "libvirt-daemon"],
  ["qemu-system-x86_64", "qemu-system-x86"],
  ["qemu-img", "qemu-utils"],
];
const DRIVER = "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so";

/** @throws Fault `lab.failed` that names what is missing */
export function requireTools(lab: string): void {
  if (process.getuid?.() !== 0)
    throw new Fault("lab.failed", { lab, reason: "namespaces and bridges need root", remedy: "Run it as root." });
  const missing = NEEDS.filter(([program]) => programPath(program) === null).map(([, pack]) => pack);
  if (!existsSync(DRIVER) && process.arch === "x64") missing.push("libvirt-daemon-driver-qemu");
  if (missing.length > 0)
    throw new Fault("lab.failed", {
      lab,
      reason: `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not installed`,
      remedy: `apt-get install --no-install-recommends ${missing.join(" ")}`,
    });
}

/** @returns what it printed. @throws Fault `lab.failed` with its own last words */
export function run(lab: string, program: string, ...words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...words], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const says = stderr.trim().split("\n").at(-1) || error.message;
      reject(new Fault("lab.failed", { lab, reason: `${program} ${words.join(" ")}: ${says}` }, { cause: error }));
    });
  });
}

/** For what may be so already, or be gone already. @returns whether it worked */
export async function tried(lab: string, program: string, ...words: readonly string[]): Promise<boolean> {
  return run(lab, program, ...words).then(
    () => true,
    () => false,
  );
}
