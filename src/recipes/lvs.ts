/**
 * The front end: a pair of directors that holds every alias of the site. Embedded it is the house's own TCP director; in real guests it
 * is keepalived with LVS direct routing, rendered in `lvs-keepalived.ts`. One recipe, because the site file means the same by both.
 */
import type { DirectorConfig, GuestFile, Secret } from "../model/index.ts";
import { keepalivedFiles } from "./lvs-keepalived.ts";
import type { Recipe, RecipeContext, Rendered, Seat } from "./recipe.ts";

/** Ports of the embedded director at its own address. */
export const DIRECTOR_PORTS = { heartbeat: 9400, status: 9401 } as const;

const MiB = 1024 ** 2;

/** @returns the other director; `null` when there is none */
function peerOf(context: RecipeContext): Seat | null {
  return context.copies.find((seat) => seat.name !== context.seat.name) ?? null;
}

/**
 * The token that lets a director have its peer ended is named after the guest it can end and delivered to the other one alone.
 * @param guest the one that can be ended with it
 */
export function peerSecretName(guest: string): string {
  return `peer-${guest}`;
}

function directorFile(context: RecipeContext): GuestFile {
  const peer = peerOf(context);
  const config: DirectorConfig = {
    format: 1,
    guest: context.seat.name,
    address: context.seat.address,
    copy: context.seat.copy,
    peer: peer && { guest: peer.name, address: peer.address, host: peer.host, secret: peerSecretName(peer.name) },
    ports: DIRECTOR_PORTS,
    aliases: context.aliases,
  };
  return { path: "etc/director.json", content: `${JSON.stringify(config, null, 2)}\n` };
}

function renderEmbedded(context: RecipeContext): Rendered {
  const peer = peerOf(context);
  const secrets: readonly Secret[] = peer
    ? [{ name: peerSecretName(peer.name), version: 1, kind: "token", subject: null }]
    : [];
  return {
    definition: {
      image: null,
      packages: [],
      data: "none",
      program: { kind: "bundle", bundle: "director" },
      environment: {},
      ports: DIRECTOR_PORTS,
      probe: { kind: "https", port: DIRECTOR_PORTS.status, path: "/health", status: 200, contains: null },
      watchdog: true,
    },
    files: [directorFile(context)],
    secrets,
  };
}

function renderReal(context: RecipeContext): Rendered {
  return {
    definition: {
      image: "debian-12",
      packages: ["curl", "ipvsadm", "keepalived"],
      data: "none",
      program: { kind: "command", command: ["/usr/sbin/keepalived", "--dont-fork", "--log-console"] },
      environment: {},
      ports: {},
      probe: { kind: "running" },
      watchdog: false,
    },
    files: keepalivedFiles(context),
    secrets: [],
  };
}

export const lvs: Recipe = {
  name: "lvs",
  title: "Front end: a pair of directors that holds the aliases",
  defaults: { strategy: "active-standby", memory: 512 * MiB, cpus: 1, disk: 0, port: null },
  settings: {
    interface: {
      expected: "a network interface such as eth0 (real guests only)",
      accepts: (value) => typeof value === "string" && /^[a-z][a-z0-9._-]{0,14}$/.test(value),
    },
    router: {
      expected: "a VRRP router number from 1 to 255, not used by anybody else on the network (real guests only)",
      accepts: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 255,
    },
  },
  withoutNeeds: "answers",
  holders: (_, copies) => copies,
  alias: () => null,
  render: (context) => (context.target === "embedded" ? renderEmbedded(context) : renderReal(context)),
  embeddedRefusal: () => null,
  samples: [],
};
