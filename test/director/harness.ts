/**
 * Two real director processes, copies to serve, and supervisors that are only as clever as the test wants. Addresses come from the
 * process number, so that test files can run at the same time.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  BlueprintAlias,
  DirectorConfig,
  DirectorStatus,
  EndIfHungReply,
  EndIfHungRequest,
} from "../../src/model/index.ts";
import { createAuthority, issueCertificate, type KeyPairPem } from "../../src/pki/index.ts";
import { connector, type TlsIdentity } from "../../src/world/index.ts";

/** @returns an address of this test process's own; `n` below 250 */
export function ownAddress(n: number): string {
  return `127.${64 + (process.pid % 128)}.${1 + ((process.pid >> 7) % 250)}.${n}`;
}

/** Waits for something to become so; time only limits it. */
export async function until<T>(what: string, look: () => T | Promise<T>, limitMs = 30_000): Promise<NonNullable<T>> {
  const end = performance.now() + limitMs;
  let seen: unknown;
  while (performance.now() < end) {
    try {
      seen = await look();
      if (seen) return seen as NonNullable<T>;
    } catch (error) {
      seen = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  throw new Error(`never so: ${what} (last seen: ${seen instanceof Error ? seen.message : JSON.stringify(seen)})`);
}

export function aliasOf(shape: Partial<BlueprintAlias> & Pick<BlueprintAlias, "address" | "port">): BlueprintAlias {
  const defaults = {
    name: "web",
    service: "web",
    scheduler: "least-connections",
    persistence: 0,
    connections: 1000,
    connectionsPerCopy: 1000,
    distribution: "all",
    proxyProtocol: false,
    backends: [],
  };
  return { ...defaults, ...shape } as BlueprintAlias;
}

export async function issue(authority: KeyPairPem, name: string, ip: readonly string[]): Promise<TlsIdentity> {
  const subject = { commonName: name, unit: "guest", dns: [name], ip } as const;
  const pair = await issueCertificate(authority, subject, Date.now());
  return { ca: authority.certificate, cert: pair.certificate, key: pair.key };
}

export type Policy = (request: EndIfHungRequest, pid: number) => EndIfHungReply | Promise<EndIfHungReply>;

/** What the kernel calls the process: R, S, T (stopped), Z; `null` when it is gone. */
export function processState(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  } catch {
    return null;
  }
}

/** Ends what is stopped, and nothing else. */
export const endStopped: Policy = async (_, pid) => {
  const state = processState(pid);
  if (state === null || state === "Z") return { ended: false, state: "gone", says: "it does not run" };
  if (state !== "T") return { ended: false, state: "alive", says: "it runs" };
  process.kill(-pid, "SIGKILL");
  await until("the director is gone", () => [null, "Z"].includes(processState(pid)));
  return { ended: true, state: "stopped", says: "it was stopped and has been ended" };
};

const GUESTS = ["fg5x0", "fg6x0"] as const;
const HOSTS = ["fermigrid5", "fermigrid6"] as const;

export class Pairing {
  readonly directory = mkdtempSync(join(tmpdir(), "dd-"));
  readonly identities: TlsIdentity[] = [];
  readonly asked: EndIfHungRequest[] = [];
  operator!: TlsIdentity;
  authority!: KeyPairPem;
  readonly #processes: (ChildProcess | null)[] = [null, null];
  readonly #supervisors = new Set<Server>();
  readonly #keys = GUESTS.map(() => randomBytes(32).toString("hex"));
  readonly #addresses: readonly [string, string];
  #aliases: readonly BlueprintAlias[] = [];

  /** @param authority of the copies, where they have one; a new one when silent */
  constructor(
    addresses: readonly [string, string] = [ownAddress(2), ownAddress(3)],
    authority: KeyPairPem | null = null,
  ) {
    this.#addresses = addresses;
    if (authority !== null) this.authority = authority;
  }

  async prepare(aliases: readonly BlueprintAlias[]): Promise<this> {
    this.authority ??= await createAuthority("t", Date.now());
    this.operator = await issue(this.authority, "operator", []);
    this.#aliases = aliases;
    mkdirSync(join(this.directory, "peers"), { mode: 0o700 });
    for (const i of [0, 1] as const) {
      const root = join(this.directory, GUESTS[i]);
      const tls = await issue(this.authority, GUESTS[i], [this.#addresses[i]]);
      for (const part of ["etc/tls", "etc/secrets", "data"]) mkdirSync(join(root, part), { recursive: true });
      for (const part of ["ca", "cert", "key"] as const) writeFileSync(join(root, "etc/tls", `${part}.pem`), tls[part]);
      writeFileSync(join(root, "etc/secrets", `peer-${GUESTS[1 - i]}`), this.#keys[1 - i]!);
      this.identities.push(tls);
    }
    this.configure(aliases);
    return this;
  }

  configure(aliases: readonly BlueprintAlias[]): void {
    this.#aliases = aliases;
    for (const i of [0, 1] as const) {
      const other = (1 - i) as 0 | 1;
      const config: DirectorConfig = {
        format: 1,
        guest: GUESTS[i],
        address: this.#addresses[i],
        copy: i,
        peer: {
          guest: GUESTS[other],
          address: this.#addresses[other],
          host: HOSTS[other],
          secret: `peer-${GUESTS[other]}`,
        },
        ports: { heartbeat: 9400, status: 9401 },
        aliases: this.#aliases,
      };
      writeFileSync(join(this.directory, GUESTS[i], "etc/director.json"), JSON.stringify(config));
    }
  }

  /** @param command runs in front of node, such as `taskset` */
  start(i: number): number {
    const root = join(this.directory, GUESTS[i]!);
    const out = openSync(join(root, "log"), "a");
    const child = spawn(process.execPath, [join(import.meta.dirname, "../../services/director/main.ts")], {
      detached: true,
      stdio: ["ignore", out, out],
      env: {
        DOMUS_GUEST: GUESTS[i]!,
        DOMUS_ADDRESS: this.#addresses[i]!,
        DOMUS_ROOT: root,
        DOMUS_DATA: join(root, "data"),
        DOMUS_PEERS: join(this.directory, "peers"),
      },
    });
    this.#processes[i] = child;
    return child.pid!;
  }

  signal(i: number, name: NodeJS.Signals): void {
    process.kill(-this.pid(i), name);
  }

  pid(i: number): number {
    return this.#processes[i]!.pid!;
  }

  log(i: number): string {
    return readFileSync(join(this.directory, GUESTS[i]!, "log"), "utf8");
  }

  /** Stands for the host's supervisor of director `i`. */
  async supervise(i: number, policy: Policy): Promise<Server> {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", async (line) => {
        const request = JSON.parse(String(line)) as EndIfHungRequest;
        this.asked.push(request);
        const allowed = request.guest === GUESTS[i] && request.key === this.#keys[i];
        const reply = allowed
          ? await policy(request, this.pid(i))
          : { ended: false, state: "alive", says: "that key does not allow it" };
        socket.end(`${JSON.stringify(reply)}\n`);
      });
    });
    const path = join(this.directory, "peers", `${HOSTS[i]}.peer`);
    rmSync(path, { force: true });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    this.#supervisors.add(server);
    return server;
  }

  async status(i: number): Promise<DirectorStatus> {
    const line = connector(
      {
        scheme: "https",
        address: this.#addresses[i]!,
        port: 9401,
        servername: GUESTS[i]!,
        tls: this.operator,
        localAddress: null,
        preamble: null,
        connectTimeoutMs: 1000,
      },
      false,
    );
    try {
      const answer = await line.ask({ method: "GET", path: "/status", timeoutMs: 5000, keepBytes: 1e6 });
      return JSON.parse(answer.body) as DirectorStatus;
    } finally {
      line.close();
    }
  }

  /**
   * A pair at rest: the first active, the second standing by. One after the other, because on a busy machine the second may well be up
   * first, and then it is right to take the aliases.
   */
  static async ready(
    aliases: readonly BlueprintAlias[],
    policy?: Policy,
    authority: KeyPairPem | null = null,
  ): Promise<Pairing> {
    const house = await new Pairing(undefined, authority).prepare(aliases);
    try {
      if (policy) for (const i of [0, 1]) await house.supervise(i, policy);
      house.start(0);
      await house.role(0, "active");
      house.start(1);
      await house.role(1, "standby");
      return house;
    } catch (error) {
      // Nobody else would end its processes.
      await house[Symbol.asyncDispose]();
      throw error;
    }
  }

  role(i: number, role: DirectorStatus["role"]): Promise<DirectorStatus> {
    return until(`director ${i} is ${role}`, async () => {
      const status = await this.status(i);
      return status.role === role ? status : null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) {
      if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // Already gone.
      }
    }
    for (const server of this.#supervisors) server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
