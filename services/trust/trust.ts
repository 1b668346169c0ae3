/**
 * What is believed about people's certificates, kept fresh: the authorities of a directory in the form every grid site has, their revocation
 * lists and signing policies, and the VOMS servers that may speak for a VO. Others' tools write these files (fetch-crl, packages of
 * authorities); a new list is in force without a restart.
 *
 * Everything is read into one new set, which then takes the old one's place: no decision sees half of a change. The timer decides when; what
 * the system says about changed files only makes it sooner, because such messages are lost on network file systems.
 *
 * Choices. The site's own authority is always one of the anchors and needs no signing policy; a policy in the directory binds it all
 * the same. Of the others: a `.signing_policy` or `.namespaces` that is there binds, as everywhere. Where there is none, Globus refuses and OpenSSL-based
 * software accepts; here whoever put the certificate there decided to believe it, and `withoutPolicy: "refuse"` is for sites that want it as Globus
 * has it. An authority without a revocation list is believed (those exist); one whose list has ended is not, until a new one comes:
 * the rules of `src/grid/`. Refused: keeping the last set when the directory is gone, because taking it away is how one stops believing.
 */
import { type FSWatcher, watch } from "node:fs";
import {
  type Certificate,
  type Chain,
  type Membership,
  membershipsOf,
  type PathRules,
  parseSigningPolicy,
  type RevocationList,
  readPemCertificates,
  type SigningPolicy,
  type ValidPath,
  type VomsTrust,
  validateProxyPath,
} from "../../src/grid/index.ts";
import type { Log } from "../serving/index.ts";
import { readAuthorities } from "./authorities.ts";
import { Shelf } from "./shelf.ts";
import { readVomsDirectory } from "./vomsdir.ts";

export interface TrustConfig {
  /** A directory such as `/etc/grid-security/certificates`. */
  readonly authorities: string;
  /** A directory such as `/etc/grid-security/vomsdir`; `null`: no VO's word is believed. */
  readonly vomsdir: string | null;
  /** Seconds between two looks. */
  readonly refresh: number;
  /** What authorities may sign of which no policy speaks: anything (the default), or nothing. */
  readonly withoutPolicy?: "accept" | "refuse";
}

export interface TrustOptions {
  readonly config: TrustConfig;
  /** The site's own authority, PEM. */
  readonly own: string;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface AboutTrust {
  readonly authorities: number;
  readonly revocationLists: number;
  readonly signingPolicies: number;
  /** Servers that may speak for a VO. */
  readonly vomsServers: number;
  /** When anything last changed; `null` before the first look. */
  readonly loadedAt: string | null;
  /** The list that ends first, or has ended. */
  readonly oldestList: { readonly authority: string; readonly nextUpdate: string } | null;
  /** What cannot be read, at most {@link SHOWN}. */
  readonly faults: readonly string[];
}

/** Milliseconds that clocks elsewhere may be ahead: VOMS' own library allows as much. */
const SKEW = 5 * 60 * 1000;
/** Milliseconds after the first sign of a change: whoever replaces files replaces several. */
const QUIET = 200;
export const SHOWN = 20;

interface Believed {
  readonly anchors: readonly Certificate[];
  readonly lists: readonly RevocationList[];
  readonly policies: readonly SigningPolicy[];
  readonly voms: readonly VomsTrust[];
}

/** @returns a policy that lets an authority sign anything */
function anything({ subject }: Certificate): SigningPolicy {
  const [any] = parseSigningPolicy(
    `access_id_CA X509 '/CN=any'\npos_rights globus CA:sign\ncond_subjects globus '"*"'`,
  );
  return { ...any!, authority: subject.normal };
}

export class Trust {
  readonly #options: TrustOptions;
  #own: readonly Certificate[];
  #read: Omit<Believed, "voms"> = { anchors: [], lists: [], policies: [] };
  readonly #now: () => number;
  readonly #shelf = new Shelf();
  #believed: Believed;
  #loadedAt: number | null = null;
  #faults: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | null = null;
  #soon: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #again = false;
  #closed = false;
  readonly #watchers = new Map<string, FSWatcher>();

  /** @throws {GridRefused} when the site's own authority cannot be read */
  constructor(options: TrustOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#own = readPemCertificates(options.own);
    this.#believed = this.#set(this.#read, []);
  }

  /** Looks once, and then again and again. Never throws: what is wrong is in the log and in {@link about}. */
  async start(): Promise<void> {
    await this.reload();
    if (this.#closed) return;
    this.#timer = setInterval(() => void this.reload(), this.#options.config.refresh * 1000).unref();
  }

  /** @param own the site's authority from now on. @throws {GridRefused} when it cannot be read; the one before stays */
  renew(own: string): void {
    this.#own = readPemCertificates(own);
    this.#believed = this.#set(this.#read, this.#believed.voms);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearInterval(this.#timer);
    if (this.#soon) clearTimeout(this.#soon);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await this.#looking;
  }

  /** Looks at everything now; whoever calls while a look is under way gets one that began after. */
  async reload(): Promise<void> {
    if (this.#looking !== null) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = (async () => {
      do {
        this.#again = false;
        await this.#look();
      } while (this.#again && !this.#closed);
    })().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /**
   * Who is it?
   * @param chain the certificate to validate first; PEM, or read already
   * @param purpose `any` for who only signs
   * @throws {GridRefused}
   */
  path(chain: Chain, purpose: PathRules["purpose"] = "client"): ValidPath {
    return validateProxyPath(chain, this.#believed.anchors, { ...this.#rules(), purpose });
  }

  /**
   * What VOs say of a validated path: the lowest attribute certificates in it, signed by servers that a `.lsc` file names.
   * @param host full name of the host that is asked for; needed for those made out to hosts
   * @throws {GridRefused} when any of them is not to be believed
   */
  memberships(path: ValidPath, host?: string): readonly Membership[] {
    const { anchors, voms } = this.#believed;
    return membershipsOf(path, { ...this.#rules(), anchors, trust: voms, ...(host === undefined ? {} : { host }) });
  }

  /** Was everything looked at once? Until then only the site's own authority is believed. */
  get loaded(): boolean {
    return this.#loadedAt !== null;
  }

  /** For health. */
  about(): AboutTrust {
    const { anchors, lists, policies, voms } = this.#believed;
    const current = lists.filter(({ nextUpdate }) => Number.isFinite(nextUpdate));
    const oldest = current.reduce<RevocationList | null>(
      (first, one) => (first === null || one.nextUpdate < first.nextUpdate ? one : first),
      null,
    );
    return {
      authorities: anchors.length,
      revocationLists: current.length,
      signingPolicies: policies.length,
      vomsServers: voms.length,
      loadedAt: this.#loadedAt === null ? null : new Date(this.#loadedAt).toISOString(),
      oldestList:
        oldest === null
          ? null
          : { authority: oldest.issuer.normal, nextUpdate: new Date(oldest.nextUpdate).toISOString() },
      faults: [...this.#faults].slice(0, SHOWN).map(([path, says]) => `${path}: ${says}`),
    };
  }

  #rules(): PathRules {
    const { lists, policies } = this.#believed;
    return {
      now: this.#now(),
      skew: SKEW,
      crls: lists,
      signingPolicies: policies,
      withoutPolicy: this.#options.config.withoutPolicy ?? "accept",
    };
  }

  #set(read: Omit<Believed, "voms">, voms: readonly VomsTrust[]): Believed {
    const others = read.anchors.filter((one) => !this.#own.some((own) => own.der.equals(one.der)));
    const unspoken = this.#own.filter(
      ({ subject }) => !read.policies.some(({ authority }) => authority === subject.normal),
    );
    return {
      anchors: [...this.#own, ...others],
      lists: read.lists,
      policies: [...read.policies, ...unspoken.map(anything)],
      voms,
    };
  }

  async #look(): Promise<void> {
    const { authorities, vomsdir } = this.#options.config;
    const faults = new Map<string, string>();
    const attempt = async <Read>(directory: string, read: () => Promise<Read | null>): Promise<Read | null> => {
      try {
        const found = await read();
        if (found === null) faults.set(directory, "there is no such directory");
        return found;
      } catch (error) {
        faults.set(directory, (error as Error).message);
        return null;
      }
    };
    this.#shelf.begin();
    const assemble = await attempt(authorities, () => readAuthorities(this.#shelf, authorities));
    const voms = vomsdir === null ? null : await attempt(vomsdir, () => readVomsDirectory(this.#shelf, vomsdir));
    const changed = this.#shelf.end();
    if (this.#closed) return;
    if (changed || this.#loadedAt === null) {
      const read = assemble?.() ?? { anchors: [], lists: [], policies: [], faults: new Map<string, string>() };
      for (const [path, says] of [...read.faults, ...(voms?.faults ?? [])]) faults.set(path, says);
      this.#read = read;
      this.#believed = this.#set(read, voms?.trust ?? []);
      this.#loadedAt = this.#now();
    }
    // Files are as they were, and so is what is wrong with them.
    else for (const [path, says] of this.#faults) if (path !== authorities && path !== vomsdir) faults.set(path, says);
    for (const [path, says] of faults)
      if (this.#faults.get(path) !== says) this.#options.log("not believed", { path, says });
    this.#faults = faults;
    if (changed) {
      const { faults: _, ...about } = this.about();
      this.#options.log("authorities read", { ...about });
    }
    this.#watch([authorities, ...(vomsdir === null ? [] : [vomsdir])]);
  }

  /** A directory that is not there, or cannot be watched, is looked at by the timer alone. */
  #watch(directories: readonly string[]): void {
    for (const directory of directories) {
      if (this.#watchers.has(directory)) continue;
      const end = (): void => {
        this.#watchers.get(directory)?.close();
        this.#watchers.delete(directory);
      };
      try {
        const watcher = watch(directory, { persistent: false }, () => {
          this.#soon ??= setTimeout(() => {
            this.#soon = null;
            void this.reload();
          }, QUIET).unref();
        });
        watcher.on("error", end);
        this.#watchers.set(directory, watcher);
      } catch {
        end();
      }
    }
  }
}
