/**
 * Who comes to VOMS: everybody who can speak TLS is let in, and judged by the path of what was shown. The path is looked at once for each connection, and for
 * a long chain only when something is asked: it costs signatures, which the call that needs them pays from the share of its address.
 */
import type { TLSSocket } from "node:tls";
import { type Certificate, GridRefused, readPemCertificates, type ValidPath } from "../../src/grid/index.ts";
import type { Client } from "../../src/world/index.ts";
import type { Peer } from "../http/index.ts";
import { chainOf, commonNameOf, siteUnitOf, type Trust } from "../trust/index.ts";

/** Certificates of a chain that is looked at before anything was asked: the site's own have one. */
const AT_ONCE = 2;

interface Shown {
  readonly chain: readonly Buffer[];
  path: ValidPath | GridRefused | null;
}

export class Visitors {
  readonly #trust: Pick<Trust, "path">;
  readonly #shown = new WeakMap<Peer, Shown>();
  #own: readonly Certificate[];

  /** @param own the site's authority, PEM */
  constructor(trust: Pick<Trust, "path">, own: string) {
    this.#trust = trust;
    this.#own = readPemCertificates(own);
  }

  renew(own: string): void {
    this.#own = readPemCertificates(own);
  }

  /** For the server: who is counted as one community. Strangers are told apart by address, because names of theirs are only claimed. */
  readonly admit = (socket: TLSSocket, client: Client): Peer => {
    const shown: Shown = { chain: chainOf(socket), path: null };
    if (shown.chain.length > 0 && shown.chain.length <= AT_ONCE) this.#look(shown);
    const unit = shown.path === null || shown.path instanceof GridRefused ? null : siteUnitOf(shown.path, this.#own);
    const name = unit === null ? `visitors from ${client.address}` : commonNameOf(shown.path as ValidPath);
    const peer: Peer = { name, unit: unit ?? "other" };
    this.#shown.set(peer, shown);
    return peer;
  };

  /**
   * @returns who it is; `null` when no certificate was shown
   * @throws {GridRefused} why the certificate is not taken
   */
  pathOf(peer: Peer): ValidPath | null {
    const shown = this.#shown.get(peer);
    if (shown === undefined || shown.chain.length === 0) return null;
    const path = shown.path ?? this.#look(shown);
    if (path instanceof GridRefused) throw path;
    return path;
  }

  #look(shown: Shown): ValidPath | GridRefused {
    try {
      shown.path = this.#trust.path(shown.chain);
    } catch (error) {
      if (!(error instanceof GridRefused)) throw error;
      shown.path = error;
    }
    return shown.path;
  }
}
