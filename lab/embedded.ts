/** The power switch of embedded hosts: supervisors of sites that run as processes of this machine. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EmbeddedHosts } from "../src/controller/index.ts";
import { BundleCache } from "../src/images/index.ts";
import type { HostName } from "../src/model/index.ts";
import { knownSites, siteDirectory, stateBase } from "../src/store/index.ts";

/** A host that somebody may cut off, wherever it is. */
export interface Switchable {
  readonly host: string;
  /** `site wiki`, `lab one`. */
  readonly of: string;
  readonly cut: () => Promise<void>;
  readonly heal: () => Promise<void>;
  /** Pulls its cable: it goes on, and nobody hears it. Embedded hosts have none. */
  readonly partition?: () => Promise<void>;
}

/** @returns every host of every site of this machine */
export function embeddedHosts(): readonly Switchable[] {
  const base = stateBase(process.env);
  return knownSites(base).flatMap((site) => {
    const directory = siteDirectory(base, site);
    const place = join(directory, "hosts");
    return (existsSync(place) ? readdirSync(place) : []).map((host): Switchable => {
      const act = async (what: "cut" | "heal"): Promise<void> => {
        const hosts = new EmbeddedHosts(directory, new BundleCache(join(directory, "bundles")));
        await hosts[what](host as HostName);
        await hosts.close();
      };
      return { host, of: site, cut: () => act("cut"), heal: () => act("heal") };
    });
  });
}
