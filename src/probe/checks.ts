/** One question to one guest: does it do its work? The controller, `domus probe` and the status page all ask it here. */
import { connect } from "node:net";
import type { Probe, ProbeOutcome, ProbeResult } from "../model/index.ts";
import { connectionSays, connector, RequestFailure, type TlsIdentity } from "../world/index.ts";

export interface CheckOptions {
  /** Milliseconds for everything; 2,000 when silent. */
  readonly timeoutMs?: number;
  /** The name the certificate must carry: the guest's or the alias's; `null` checks the address. */
  readonly servername?: string | null;
  readonly signal?: AbortSignal;
}

/**
 * @param address the guest's or the alias's
 * @param tls who asks; needed by https probes, `null` otherwise
 * @returns what was seen; never throws. A `running` probe cannot be asked from outside and counts as answered.
 */
export async function probeGuest(
  probe: Probe,
  address: string,
  tls: TlsIdentity | null,
  options: CheckOptions = {},
): Promise<ProbeResult> {
  const began = performance.now();
  const seen = await look(probe, address, tls, options);
  return { ...seen, milliseconds: Math.round((performance.now() - began) * 10) / 10 };
}

type Seen = Pick<ProbeResult, "outcome" | "says">;

function look(probe: Probe, address: string, tls: TlsIdentity | null, options: CheckOptions): Promise<Seen> {
  const timeoutMs = options.timeoutMs ?? 2000;
  switch (probe.kind) {
    case "running":
      return Promise.resolve({ outcome: "answers", says: "its process runs; nothing more can be asked of it" });
    case "tcp":
      return lookTcp(address, probe.port, timeoutMs, options.signal);
    case "http":
    case "https":
      return lookHttp(probe, address, tls, timeoutMs, options);
  }
}

function lookTcp(address: string, port: number, timeoutMs: number, signal?: AbortSignal): Promise<Seen> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    const end = (outcome: ProbeOutcome, says: string) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve({ outcome, says: `${address}:${port}: ${says}` });
    };
    const onAbort = () => end("failed", "given up");
    const timer = setTimeout(() => end("failed", `no connection within ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("connect", () => end("answers", "it accepts connections"));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      end("failed", connectionSays(error.code ?? "", error.message)),
    );
  });
}

async function lookHttp(
  probe: Extract<Probe, { kind: "http" | "https" }>,
  address: string,
  tls: TlsIdentity | null,
  timeoutMs: number,
  options: CheckOptions,
): Promise<Seen> {
  const where = `${probe.kind}://${address}:${probe.port}${probe.path}`;
  const line = connector(
    {
      scheme: probe.kind,
      address,
      port: probe.port,
      servername: options.servername ?? null,
      tls,
      localAddress: null,
      preamble: null,
      connectTimeoutMs: timeoutMs,
    },
    false,
  );
  try {
    const answer = await line.ask({
      method: "GET",
      path: probe.path,
      timeoutMs,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const { outcome, says } = readAnswer(probe, answer.status, answer.body);
    return { outcome, says: `${where}: ${says}` };
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    return { outcome: "failed", says: `${where}: ${error.message}` };
  } finally {
    line.close();
  }
}

/** What a program says of itself in a JSON answer; anything else says nothing. */
function selfReport(body: string): { readonly state?: unknown; readonly says?: unknown; readonly message?: unknown } {
  try {
    const value: unknown = JSON.parse(body);
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

/**
 * Judges an answer: pure, so that every case is tested without a server.
 * @param probe what was asked, with the status and text expected
 */
export function readAnswer(
  probe: { readonly status: number; readonly contains: string | null },
  status: number,
  body: string,
): Seen {
  const report = selfReport(body);
  const words = [report.says, report.message].find((text) => typeof text === "string");
  const adds = words === undefined ? "" : ` (${String(words).slice(0, 200)})`;
  if (report.state === "read-only") return { outcome: "read-only", says: `it answers reads only${adds}` };
  if (status !== probe.status) {
    return { outcome: "failed", says: `status ${status}, expected ${probe.status}${adds}` };
  }
  if (probe.contains !== null && !body.includes(probe.contains)) {
    return { outcome: "failed", says: `its answer does not contain ${JSON.stringify(probe.contains)}` };
  }
  return { outcome: "answers", says: `status ${status}` };
}
