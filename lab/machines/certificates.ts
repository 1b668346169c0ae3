/** The lab's own authority, a certificate for each daemon and one for whoever gives orders; RSA, because libvirt takes no other keys. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, issueCertificate, type KeyPairPem } from "../../src/pki/index.ts";
import { readIfThere, writeFileDurably } from "../../src/world/index.ts";
import type { LabDirectory, LabHost, LabRecord } from "./record.ts";

/** Where libvirt's programs look. https://libvirt.org/kbase/tlscerts.html */
const DAEMON = {
  authority: "etc/pki/CA/cacert.pem",
  certificate: "etc/pki/libvirt/servercert.pem",
  key: "etc/pki/libvirt/private/serverkey.pem",
  /** A daemon that sends a guest to another one is its client. */
  clientCertificate: "etc/pki/libvirt/clientcert.pem",
  clientKey: "etc/pki/libvirt/private/clientkey.pem",
} as const;

/** Makes what is missing; what is there stays. */
export async function makeCertificates(directory: LabDirectory, lab: LabRecord): Promise<void> {
  const authority = await authorityOf(directory, lab);
  const client = join(directory.pki, "clientcert.pem");
  if (!existsSync(client)) {
    const { certificate, key } = await issue(authority, "operator", []);
    writeFileDurably(join(directory.pki, "clientkey.pem"), key, 0o600);
    writeFileDurably(client, certificate, 0o600);
  }
  for (const host of lab.hosts) await furnish(directory, authority, host);
}

async function authorityOf(directory: LabDirectory, lab: LabRecord): Promise<KeyPairPem> {
  mkdirSync(directory.pki, { recursive: true, mode: 0o700 });
  const [certificate, key] = ["cacert.pem", "cakey.pem"].map((name) => join(directory.pki, name)) as [string, string];
  const known = [readIfThere(certificate), readIfThere(key)];
  if (known[0] && known[1]) return { certificate: known[0], key: known[1] };
  const made = await createAuthority(`lab-${lab.name}`, Date.now());
  writeFileDurably(key, made.key, 0o600);
  writeFileDurably(certificate, made.certificate, 0o600);
  return made;
}

/** @param addresses none for who gives orders: he serves nothing */
function issue(authority: KeyPairPem, name: string, addresses: readonly string[]): Promise<KeyPairPem> {
  const unit = addresses.length > 0 ? "host" : "operator";
  return issueCertificate(authority, { commonName: name, unit, dns: [name], ip: addresses }, Date.now(), "rsa");
}

async function furnish(directory: LabDirectory, authority: KeyPairPem, host: LabHost): Promise<void> {
  const disk = directory.host(host.name);
  const put = (file: string, text: string): void => {
    const path = join(disk, file);
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o755 });
    writeFileDurably(path, text, 0o600);
  };
  if (existsSync(join(disk, DAEMON.certificate))) return;
  const own = await issue(authority, host.name, [host.address]);
  put(DAEMON.authority, authority.certificate);
  put(DAEMON.key, own.key);
  put(DAEMON.clientKey, own.key);
  put(DAEMON.clientCertificate, own.certificate);
  put(DAEMON.certificate, own.certificate);
}
