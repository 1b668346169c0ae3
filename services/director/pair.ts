/**
 * One director's part in the pair: gathers evidence about the other, lets `election.ts` decide, and does it. All that waits here waits
 * for one thing at a time; whatever comes in meanwhile only changes the evidence, and the next look acts on it.
 */
import { join } from "node:path";
import type { DirectorConfig, DirectorPeerStatus, DirectorRole, DirectorTakeover } from "../../src/model/index.ts";
import { endpointOf } from "./config.ts";
import { decide, type Evidence } from "./election.ts";
import type { FrontEnd, Grip } from "./front-end.ts";
import type { Beat } from "./heartbeat.ts";
import type { LoopWatch } from "./lag.ts";
import type { Log } from "./log.ts";
import { endIfHung } from "./supervisor.ts";
import { TIMING } from "./timing.ts";

export interface PairOptions {
  readonly config: DirectorConfig;
  /** Directory with the supervisors' sockets. */
  readonly peers: string;
  /** The token that lets the peer be ended. */
  readonly key: string;
  readonly front: FrontEnd;
  readonly loop: LoopWatch;
  readonly log: Log;
  /** Says to the peer at once what has changed. */
  readonly announce: () => void;
}

/** Why the peer is believed to hold nothing. `refused` alone is not certain: it may just be starting. */
type Gone = "left" | "ended" | "cut" | "refused";

export class Pair {
  role: DirectorRole = "starting";
  term = 0;
  since = Date.now();
  lastTakeover: DirectorTakeover | null = null;
  readonly #options: PairOptions;
  readonly #started = performance.now();
  #beat: Beat | null = null;
  #heardAt: number | null = null;
  #activeSeenAt = performance.now();
  #gone: Gone | null = null;
  #supervisorSays = "";
  #askedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #heldSaidAt = Number.NEGATIVE_INFINITY;
  #busy = false;
  #again = false;

  constructor(options: PairOptions) {
    this.#options = options;
    this.term = options.front.writersTerm;
  }

  /** What we say of ourselves. */
  beat(): Beat {
    const { config, front } = this.#options;
    const { role, term } = this;
    const writers = { writers: front.writers(), writersTerm: front.writersTerm };
    const stays = role === "active" ? { stays: front.stays() } : {};
    return { guest: config.guest, copy: config.copy, role, term, ...writers, ...stays };
  }

  onBeat(beat: Beat): void {
    const now = performance.now();
    this.#options.loop.look();
    this.#beat = beat;
    this.#heardAt = now;
    this.#gone = beat.role === "leaving" ? "left" : null;
    if (this.#supervisorSays !== "") {
      this.#supervisorSays = "";
      this.#options.log("info", "the peer is heard again", { role: beat.role, term: beat.term });
    }
    if (beat.role === "active") this.#activeSeenAt = now;
    const { front } = this.#options;
    const knowsBetter = beat.role === "active" || beat.writersTerm > front.writersTerm;
    if (this.role !== "active" && knowsBetter) front.adoptWriters(beat.writers, beat.writersTerm);
    if (this.role !== "active" && beat.stays) front.adoptStays(beat.stays);
    this.look();
  }

  onCut(): void {
    if (this.#gone === null || this.#gone === "refused") this.#gone = "cut";
    this.look();
  }

  onRefused(): void {
    this.#gone ??= "refused";
    this.look();
  }

  /** Decides and acts; called at every heartbeat and whenever something was seen. */
  look(): void {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#again = false;
    void this.#act()
      .catch((error: Error) => this.#options.log("error", "the pair failed", { reason: error.message }))
      .finally(() => {
        this.#busy = false;
        if (this.#again) setImmediate(() => this.look());
      });
  }

  /** Gives everything up; the peer is told before and takes over at once. */
  leave(): void {
    const held = this.role === "active";
    this.#become("leaving");
    if (held) this.#options.front.release();
    this.#options.announce();
  }

  peerStatus(): DirectorPeerStatus | null {
    const { peer } = this.#options.config;
    if (peer === null) return null;
    const kind = this.#evidence().kind;
    const fresh = kind === "heard";
    return {
      guest: peer.guest,
      state: fresh ? "alive" : kind === "gone" ? "gone" : "silent",
      role: fresh ? (this.#beat?.role ?? null) : null,
      term: this.#beat?.term ?? 0,
      heardMsAgo: this.#heardAt === null ? null : Math.round(performance.now() - this.#heardAt),
      says: this.#supervisorSays,
    };
  }

  #evidence(): Evidence {
    if (this.#options.config.peer === null) return { kind: "none" };
    if (this.#gone !== null) return { kind: "gone", surely: this.#gone !== "refused" };
    const forMs = this.#silence();
    const beat = this.#beat;
    if (beat !== null && this.#heardAt !== null && forMs < TIMING.silence) {
      return { kind: "heard", role: beat.role, term: beat.term, copy: beat.copy };
    }
    return { kind: "silent", forMs };
  }

  /** Milliseconds; while our own loop stood still nobody can be called silent, so the window begins anew after it. */
  #silence(): number {
    const from = Math.max(this.#heardAt ?? this.#started, this.#options.loop.lastStallEnd());
    return performance.now() - from;
  }

  async #act(): Promise<void> {
    const { config } = this.#options;
    this.#options.loop.look();
    const now = performance.now();
    const peer = this.#evidence();
    const decision = decide({
      role: this.role,
      copy: config.copy,
      term: this.term,
      age: now - this.#started,
      headless: now - this.#activeSeenAt,
      peer,
    });
    switch (decision) {
      case "wait":
        if (this.role === "active") await this.#complete();
        return;
      case "stand-by":
        if (this.role !== "standby") this.#become("standby");
        return;
      case "yield":
        this.#options.front.release();
        this.#options.log("warning", "the peer is active too and goes before us: the aliases are released");
        return this.#become("standby");
      case "take":
        return this.#take(this.#reason(peer));
      case "ask":
        return this.#ask();
    }
  }

  #reason(peer: Evidence): string {
    if (peer.kind === "none") return "there is no other director";
    if (peer.kind === "heard") return peer.role === "leaving" ? "the peer leaves" : "nobody was active";
    const says: Record<Gone, string> = {
      left: "the peer left",
      ended: `the peer hung and was ended: ${this.#supervisorSays}`,
      cut: "the peer's heartbeat was cut",
      refused: "nothing listens at the peer's heartbeat port",
    };
    return says[this.#gone ?? "refused"];
  }

  /** Binds; the kernel says whether the peer has let go. */
  async #take(reason: string): Promise<void> {
    const { front, log } = this.#options;
    const now = performance.now();
    if (now - this.#triedAt < 10) return;
    this.#triedAt = now;
    const beganAt = this.#beat?.role === "active" || this.#beat?.role === "leaving" ? this.#heardAt : null;
    for (;;) {
      const grip = await front.bind();
      if (this.role === "leaving") return front.release();
      const waited = performance.now() - now;
      if (grip.missing.length === 0) break;
      // Everything, or what nobody but a foreign program holds: who is certainly gone holds nothing.
      if (waited >= TIMING.release && grip.held.length > 0 && this.#holdsNothing()) break;
      front.release();
      if (waited >= TIMING.release || this.#heardActive()) {
        this.#sayHeld(reason, grip.missing[0]!);
        // Bound by somebody: if it is the peer, it lives, and only its supervisor can tell more.
        this.#gone = null;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.term = Math.max(this.term, this.#beat?.term ?? 0) + 1;
    front.enter(this.term);
    this.lastTakeover = { at: Date.now(), reason, tookMs: Math.round(performance.now() - (beganAt ?? now)) };
    this.#become("active");
    log("info", "the aliases are ours", { reason, term: this.term, tookMs: this.lastTakeover.tookMs });
  }

  /** It may last for hours: said at once and then every ten seconds. */
  #sayHeld(reason: string, { shape, says }: Grip["missing"][number]): void {
    if (performance.now() - this.#heldSaidAt < 10_000) return;
    this.#heldSaidAt = performance.now();
    const place = { alias: shape.name, address: endpointOf(shape) };
    this.#options.log("warning", "the aliases are still held by somebody else", { reason, ...place, says });
  }

  #holdsNothing(): boolean {
    const peer = this.#evidence();
    return peer.kind === "none" || peer.kind === "gone" || (peer.kind === "heard" && peer.role !== "active");
  }

  #heardActive(): boolean {
    const peer = this.#evidence();
    return peer.kind === "heard" && peer.role === "active";
  }

  /** Addresses that a foreign program held are tried again while we are active. */
  async #complete(): Promise<void> {
    const { front, log } = this.#options;
    const missing = front.aliases.filter((alias) => !alias.held);
    const now = performance.now();
    if (missing.length === 0 || now - this.#triedAt < TIMING.rebind) return;
    this.#triedAt = now;
    await front.bind();
    if (this.role !== "active") return front.release();
    for (const alias of missing) if (alias.held) log("info", "an alias is ours at last", { alias: alias.shape.name });
  }

  async #ask(): Promise<void> {
    const { config, peers, key, log } = this.#options;
    const now = performance.now();
    if (config.peer === null || now - this.#askedAt < TIMING.ask) return;
    this.#askedAt = now;
    const silenceMs = Math.round(this.#silence());
    const answer = await endIfHung(
      join(peers, `${config.peer.host}.peer`),
      { op: "end-if-hung", guest: config.peer.guest, key, silenceMs },
      TIMING.askTimeout,
    );
    const news = `${answer.state}: ${answer.says}`;
    if (news !== this.#supervisorSays) {
      log("warning", "the peer is silent", { silenceMs, supervisor: answer.state, says: answer.says });
    }
    this.#supervisorSays = news;
    // It may have spoken while its supervisor was asked.
    if (this.#evidence().kind === "heard") return;
    if (answer.ended || answer.state === "gone") {
      this.#gone = "ended";
      this.#again = true;
    } else if (answer.state === "unreachable") {
      // Nobody can end it. If it holds nothing, the kernel will give us the addresses; if it holds them, it refuses.
      await this.#take(`the peer is silent and its supervisor ${answer.says}`);
    }
  }

  #become(role: DirectorRole): void {
    if (this.role === role) return;
    this.#options.log("info", `now ${role}`, { before: this.role, term: this.term });
    this.role = role;
    this.since = Date.now();
    this.#options.announce();
  }
}
