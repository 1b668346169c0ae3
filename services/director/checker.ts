/**
 * Asks every copy, by both directors, all the time: the one that takes over knows the state of every copy from its first connection on.
 * Questions start every 500 ms whether or not the last was answered (open loop), so that a copy that hangs is found within
 * 500 ms + one timeout + 500 ms. What a failure weighs is a table: a refusal is certain, a timeout must happen twice.
 */
import { connect } from "node:net";
import {
  connectionSays,
  connector,
  encodeLocalHeader,
  RequestFailure,
  type TlsIdentity,
} from "../../src/world/index.ts";
import type { Alias } from "./alias.ts";
import type { Copy } from "./copy.ts";
import type { LoopWatch } from "./lag.ts";
import { TIMING } from "./timing.ts";

/** What a check can end in. */
type Finding = "ok" | "refused" | "wrong" | "timeout" | "cut" | "own";

/** How many findings in a row take a copy down, and whether its connections are cut then; `null`: says nothing about the copy. */
const WEIGHTS: Readonly<Record<Exclude<Finding, "ok">, { readonly needs: number; readonly cut: boolean } | null>> = {
  // Its process is gone or lets nobody in any more; what still runs to it may end by itself.
  refused: { needs: 1, cut: false },
  // It answers, and says that it cannot do its work.
  wrong: { needs: 1, cut: false },
  timeout: { needs: 2, cut: true },
  cut: { needs: 2, cut: true },
  // Our own ports or files ran out, or our own loop stood still.
  own: null,
};

const CODES: Readonly<Record<string, Finding>> = {
  ECONNREFUSED: "refused",
  TIMEOUT: "timeout",
  ETIMEDOUT: "timeout",
  EADDRNOTAVAIL: "own",
  EADDRINUSE: "own",
  EMFILE: "own",
  ENFILE: "own",
  ABORTED: "own",
};

type Ask = () => Promise<{ readonly finding: Finding; readonly says: string }>;

function tcpAsk(address: string, port: number, from: string, preamble: Buffer | null): Ask {
  return () =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port, localAddress: from });
      const end = (finding: Finding, says: string) => {
        clearTimeout(timer);
        // A reset leaves no port waiting for a minute, and the copy sees at once that nobody is there.
        socket.resetAndDestroy();
        resolve({ finding, says });
      };
      const timer = setTimeout(
        () => end("timeout", `no connection within ${TIMING.checkTimeout} ms`),
        TIMING.checkTimeout,
      );
      socket.on("error", (error: NodeJS.ErrnoException) =>
        end(CODES[error.code ?? ""] ?? "cut", connectionSays(error.code ?? "", error.message)),
      );
      socket.on("connect", () => {
        if (preamble) socket.write(preamble, () => end("ok", "it accepts connections"));
        else end("ok", "it accepts connections");
      });
    });
}

interface Asker {
  readonly ask: Ask;
  readonly close: () => void;
}

function askerOf(copy: Copy, alias: Alias, from: string, identity: TlsIdentity): Asker {
  const { check, address, port, guest } = copy.backend;
  const asked = check.kind === "running" ? port : check.port;
  // The house's own servers want a header from a director on the port that is behind it, and only there.
  const preamble = alias.shape.proxyProtocol && asked === port ? encodeLocalHeader() : null;
  if (check.kind === "tcp" || check.kind === "running") {
    return { ask: tcpAsk(address, asked, from, preamble), close: () => {} };
  }
  const line = connector(
    {
      scheme: check.kind,
      address,
      port: asked,
      servername: check.kind === "https" ? guest : null,
      tls: check.kind === "https" ? identity : null,
      localAddress: from,
      preamble,
      connectTimeoutMs: TIMING.checkTimeout,
    },
    true,
  );
  const ask: Ask = async () => {
    try {
      const answer = await line.ask({ method: "GET", path: check.path, timeoutMs: TIMING.checkTimeout });
      if (answer.status !== check.status) {
        return { finding: "wrong", says: `status ${answer.status}, expected ${check.status}` };
      }
      if (check.contains !== null && !answer.body.includes(check.contains)) {
        return { finding: "wrong", says: `its answer does not contain ${JSON.stringify(check.contains)}` };
      }
      return { finding: "ok", says: `status ${answer.status}` };
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      return { finding: CODES[error.code] ?? "cut", says: error.message };
    }
  };
  return { ask, close: line.close };
}

/** Checks the copies of one alias until closed. */
export class Checker {
  readonly #watched = new Map<Copy, { timer: NodeJS.Timeout; asker: Asker }>();
  readonly #from: string;
  readonly #loop: LoopWatch;

  /** @param from address the questions come from */
  constructor(from: string, loop: LoopWatch) {
    this.#from = from;
    this.#loop = loop;
  }

  /** Asks these copies from now on and no others; called again when copies or the certificate have changed. */
  watch(aliases: readonly Alias[], identity: TlsIdentity): void {
    this.close();
    const pairs = aliases.flatMap((alias) => alias.copies.map((copy) => ({ alias, copy })));
    for (const { alias, copy } of pairs) {
      const asker = askerOf(copy, alias, this.#from, identity);
      const look = this.#looker(copy, asker);
      this.#watched.set(copy, { asker, timer: setInterval(look, TIMING.check) });
      look();
    }
  }

  close(): void {
    for (const { timer, asker } of this.#watched.values()) {
      clearInterval(timer);
      asker.close();
    }
    this.#watched.clear();
  }

  #looker(copy: Copy, asker: Asker): () => void {
    let lastGood = Number.NEGATIVE_INFINITY;
    let failures = 0;
    let outstanding = 0;
    return () => {
      // Two at a time are enough to hold the pace of 500 ms with a timeout of 1 s.
      if (outstanding >= 2) return;
      outstanding++;
      const started = performance.now();
      void asker.ask().then(({ finding, says }) => {
        outstanding--;
        if (this.#watched.get(copy)?.asker !== asker) return;
        if (finding === "ok") {
          lastGood = Math.max(lastGood, started);
          failures = 0;
          copy.checks.ok++;
          copy.mark("up", says);
          return;
        }
        this.#loop.look();
        const weight = this.#loop.lastStallEnd() > started ? null : WEIGHTS[finding];
        // A later question was answered: this failure is old news.
        if (weight === null || lastGood > started) return;
        copy.checks.failed++;
        failures++;
        if (failures < weight.needs) return;
        const fell = copy.state !== "down";
        copy.mark("down", says);
        if (fell && weight.cut) copy.cut();
      });
    };
  }
}
