/** A libvirt daemon of a test's own, in namespaces of its own: nothing of the machine's is touched, and it ends with whoever started it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";

export const LIBVIRTD = "/usr/sbin/libvirtd";
/** Why such a test cannot run here, or `false`. */
export const withoutLibvirt =
  process.getuid?.() !== 0
    ? "namespaces need root"
    : existsSync(LIBVIRTD)
      ? false
      : `not installed: ${LIBVIRTD}; test/real/install`;

/** What a daemon would share with the machine's own. */
const PRIVATE = ["/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt", "/etc/libvirt", "/run"] as const;

export class Libvirtd {
  readonly directory = mkdtempSync(join(tmpdir(), "lv-"));
  #child: ChildProcess | null = null;
  #said = "";

  get socket(): string {
    return join(this.directory, "s", "libvirt-sock");
  }

  /** @param driver e.g. `test:///default` */
  address(uri: string): string {
    return `${uri.replace("://", "+unix://")}?socket=${this.socket}`;
  }

  /** @param more lines of libvirtd.conf */
  async start(more: readonly string[] = []): Promise<void> {
    // What a daemon that was killed has left behind.
    rmSync(this.socket, { force: true });
    for (const part of [...PRIVATE, "/s"]) mkdirSync(join(this.directory, part), { recursive: true });
    writeFileSync(
      join(this.directory, "libvirtd.conf"),
      [
        `unix_sock_dir = "${join(this.directory, "s")}"`,
        'auth_unix_rw = "none"',
        `log_outputs = "3:file:${join(this.directory, "log")}"`,
        'host_uuid = "7b0c8a1e-0f0e-4d6a-9d0e-0d0d0d0d0d0d"',
        ...more,
        "",
      ].join("\n"),
    );
    const mounts = PRIVATE.map((part) => `mount --bind "$0${part}" ${part}`).join(" && ");
    const script = `${mounts} && mount -t proc proc /proc && exec ${LIBVIRTD} --config "$0/libvirtd.conf" --pid-file "$0/pid"`;
    const words = ["--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private"];
    const child = spawn("unshare", [...words, "sh", "-c", script, this.directory], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#said += text;
      });
    await eventually(`libvirtd listens (${this.#said})`, () => {
      if (child.exitCode !== null) throw new Error(`libvirtd ended with ${child.exitCode}: ${this.#said}`);
      return existsSync(this.socket);
    });
  }

  /** As a power cut: nothing is said to anybody. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async destroy(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
