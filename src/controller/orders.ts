/** From the Blueprint to what a host is told: secrets get their values here, and nowhere earlier. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { GuestOrder } from "../hypervisor/index.ts";
import type { Blueprint, BlueprintGuest, GuestFile, Secret } from "../model/index.ts";
import { createAuthority, issueCertificate, type KeyPairPem } from "../pki/index.ts";
import { guestDigest } from "../planner/index.ts";
import type { SecretVault } from "../store/index.ts";
import { type Clock, makePrivateDirectory, readIfThere, writeFileDurably } from "../world/index.ts";

/** The certificate with which people, and Domus for them, speak to a site. */
export interface OperatorIdentity {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export class SiteSecrets {
  private readonly vault: SecretVault;
  private readonly site: string;
  private readonly clock: Clock;

  constructor(vault: SecretVault, site: string, clock: Clock) {
    this.vault = vault;
    this.site = site;
    this.clock = clock;
  }

  async authority(): Promise<KeyPairPem> {
    return JSON.parse(
      await this.vault.get("authority@1", async () =>
        JSON.stringify(await createAuthority(this.site, this.clock.now())),
      ),
    );
  }

  /** Puts the operator's key and certificate where the command line finds them, made once. */
  async operator(directory: string): Promise<OperatorIdentity> {
    const authority = await this.authority();
    const subject = { commonName: "operator", unit: "operator" as const, dns: [], ip: [] };
    const pair: KeyPairPem = JSON.parse(
      await this.vault.get("operator@1", async () =>
        JSON.stringify(await issueCertificate(authority, subject, this.clock.now())),
      ),
    );
    makePrivateDirectory(directory);
    for (const [name, content] of [
      ["ca.pem", authority.certificate],
      ["cert.pem", pair.certificate],
      ["key.pem", pair.key],
    ] as const)
      if (readIfThere(join(directory, name)) !== content) writeFileDurably(join(directory, name), content, 0o600);
    return { authority: authority.certificate, certificate: pair.certificate, key: pair.key };
  }

  /**
   * A certificate for clients that know keys of that age alone: named like the operator, with his rights in nothing, and thrown away after use.
   */
  async visitor(): Promise<KeyPairPem> {
    const subject = { commonName: "visitor", unit: "guest" as const, dns: [], ip: [] };
    return issueCertificate(await this.authority(), subject, this.clock.now(), "rsa");
  }

  /** @returns the files of one secret, relative to the guest's root. */
  async files(secret: Secret): Promise<readonly GuestFile[]> {
    const name = `${secret.name}@${secret.version}`;
    if (secret.kind === "token") return [{ path: `etc/secrets/${secret.name}`, content: await this.token(name) }];
    const authority = await this.authority();
    const pair: KeyPairPem = JSON.parse(
      await this.vault.get(name, async () =>
        JSON.stringify(
          await issueCertificate(authority, { ...secret.subject!, unit: "guest" }, this.clock.now(), secret.key),
        ),
      ),
    );
    const directory = secret.directory ?? "etc/tls";
    return [
      { path: `${directory}/ca.pem`, content: authority.certificate },
      { path: `${directory}/cert.pem`, content: pair.certificate },
      { path: `${directory}/key.pem`, content: pair.key },
    ];
  }

  token(name: string): Promise<string> {
    return this.vault.get(name, () => randomBytes(32).toString("hex"));
  }
}

/** @returns everything a host needs to run a guest. */
export async function guestOrder(
  blueprint: Blueprint,
  guest: BlueprintGuest,
  secrets: SiteSecrets,
  bundle: (name: string) => Promise<string>,
): Promise<GuestOrder> {
  const byName = new Map(blueprint.secrets.map((secret) => [`${secret.name}@${secret.version}`, secret]));
  const secretFiles: GuestFile[] = [];
  for (const name of guest.secrets) secretFiles.push(...(await secrets.files(byName.get(name)!)));
  const peer = blueprint.secrets.find((secret) => secret.kind === "token" && secret.name === `peer-${guest.name}`);
  const { program } = guest.definition;
  return {
    site: blueprint.site,
    name: guest.name,
    uuid: guest.uuid,
    mac: guest.mac,
    address: guest.address,
    definition: guest.definition,
    bundle: program.kind === "bundle" ? await bundle(program.bundle) : null,
    files: guest.files,
    secretFiles,
    peerKey: peer ? await secrets.token(`${peer.name}@${peer.version}`) : null,
    autostart: guest.autostart,
    digest: guestDigest(guest, blueprint.bundles),
  };
}
