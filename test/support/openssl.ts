/**
 * Certificates made by the openssl program, in a directory of their own: what this house reads was written by somebody else. Keys are on
 * P-256 unless told, because they take no time.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const OPENSSL = "/usr/bin/openssl";
export const missingOpenssl = existsSync(OPENSSL) ? false : "openssl is not installed on this machine";

/** A certificate and its key, as files and as PEM. */
export interface Made {
  readonly name: string;
  readonly subject: string;
  readonly certificate: string;
  readonly key: string;
  readonly pem: string;
}

export interface Order {
  /** `/DC=org/CN=Alice` */
  readonly subject: string;
  /** Self-signed when left out. */
  readonly by?: Made;
  /** Lines of an extension section. */
  readonly extensions?: readonly string[];
  /** Further sections that those lines name. */
  readonly sections?: string;
  readonly days?: number;
  readonly kind?: "ec" | "rsa" | "rsa1024" | "ed25519";
  /** Further arguments of `openssl x509`. */
  readonly arguments?: readonly string[];
  /** Whose key; a new one when left out. */
  readonly keyOf?: Made;
}

const KINDS: Readonly<Record<NonNullable<Order["kind"]>, readonly string[]>> = {
  ec: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  rsa: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  rsa1024: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
  ed25519: ["-algorithm", "ED25519"],
};

export const AUTHORITY = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"] as const;
export const PERSON = [
  "basicConstraints=critical,CA:FALSE",
  "keyUsage=critical,digitalSignature,keyEncipherment",
  "extendedKeyUsage=clientAuth",
  "subjectKeyIdentifier=hash",
  "authorityKeyIdentifier=keyid",
] as const;
export const INHERIT = "proxyCertInfo=critical,language:id-ppl-inheritAll";
export const LIMITED = "proxyCertInfo=critical,language:1.3.6.1.4.1.3536.1.1.1.9";

export class Workshop {
  readonly directory = mkdtempSync(join(tmpdir(), "domus-openssl-"));
  #count = 0;

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, content: string | Uint8Array, mode = 0o600): string {
    const path = this.path(name);
    writeFileSync(path, content, { mode });
    return path;
  }

  /** @returns what the program printed; its complaint is thrown */
  run(...parts: readonly string[]): string {
    const { status, stdout, stderr } = this.try(...parts);
    if (status !== 0) throw new Error(`openssl ${parts.join(" ")}: ${stderr}`);
    return stdout;
  }

  try(...parts: readonly string[]): {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
  } {
    return spawnSync(OPENSSL, parts, { cwd: this.directory, encoding: "utf8", timeout: 30_000 });
  }

  make(order: Order): Made {
    const name = `c${++this.#count}`;
    const certificate = this.path(`${name}.pem`);
    const key = order.keyOf?.key ?? this.path(`${name}.key`);
    if (!order.keyOf) {
      this.run("genpkey", ...KINDS[order.kind ?? "ec"], "-out", key);
      this.run("pkey", "-in", key, "-pubout", "-out", `${key}.pub`);
    }
    this.write(`${name}.cnf`, `[x]\n${(order.extensions ?? []).join("\n")}\n${order.sections ?? ""}\n`);
    const signer = order.by ? ["-CA", order.by.certificate, "-CAkey", order.by.key] : ["-signkey", key];
    const added = order.extensions?.length ? ["-extfile", `${name}.cnf`, "-extensions", "x"] : [];
    this.run(
      ...["x509", "-new", "-force_pubkey", `${key}.pub`, "-subj", order.subject, ...signer, ...added],
      ...["-days", String(order.days ?? 30), "-set_serial", String(0x1000 + this.#count), "-out", certificate],
      ...(order.arguments ?? []),
    );
    return { name, subject: order.subject, certificate, key, pem: readFileSync(certificate, "utf8") };
  }

  /** A proxy below another one or below a person. */
  proxy(by: Made, information: string, order: Partial<Order> = {}): Made {
    return this.make({
      subject: `${by.subject}/CN=${1000 + this.#count}`,
      by,
      ...order,
      extensions: [information, "keyUsage=critical,digitalSignature", ...(order.extensions ?? [])].filter(Boolean),
    });
  }

  /** @param days how long it is current; @returns PEM of a revocation list */
  revoke(by: Made, revoked: readonly Made[], days = 30): string {
    const name = `l${++this.#count}`;
    const serialOf = (one: Made): string =>
      this.run("x509", "-in", one.certificate, "-noout", "-serial").trim().slice(7);
    this.write(
      `${name}.txt`,
      revoked.map((one) => `R\t491231235959Z\t250101000000Z\t${serialOf(one)}\tunknown\t${one.subject}\n`).join(""),
    );
    this.write(
      `${name}.cnf`,
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${this.path(`${name}.txt`)}\ndefault_md=sha256\ndefault_crl_days=${days}\n`,
    );
    this.run(
      "ca",
      "-gencrl",
      "-config",
      `${name}.cnf`,
      "-cert",
      by.certificate,
      "-keyfile",
      by.key,
      "-out",
      `${name}.crl`,
    );
    return readFileSync(this.path(`${name}.crl`), "utf8");
  }
}
