/**
 * A computing element's front of somebody else's make: Debian's ARC daemon with its echo service, whose security handler asks a decision
 * point before each answer. Around it an authority of people, their certificates, and proxies with attributes of a VO.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { createConnection } from "node:net";
import { join } from "node:path";
import type { Identity } from "../services/stage.ts";

export type Conversion = "subject" | "cream" | "emi";

/** Where Debian has its plugins. */
const PLUGINS = "/usr/lib/arc/";
const VO = "fermilab";

export interface Credential {
  readonly cert: string;
  readonly key: string;
}

export interface ArcAnswer {
  /** The echo service answered. */
  readonly echoed: boolean;
  readonly body: string;
}

const openssl = (...words: string[]): void =>
  void execFileSync("openssl", words, { stdio: ["ignore", "ignore", "pipe"], timeout: 30_000 });

/** People, hosts and a VOMS server under an authority that is not the site's. */
export class People {
  readonly directory: string;
  readonly certificates: string;
  /** Proxies made with `voms-proxy-fake`. */
  proxies = 0;

  constructor(directory: string) {
    this.directory = directory;
    this.certificates = join(directory, "certificates");
    mkdirSync(this.certificates, { recursive: true });
    const days = ["-days", "2", "-newkey", "rsa:2048", "-nodes", "-utf8"];
    const ca = [
      "-subj",
      "/DC=org/DC=fermigrid/CN=People CA",
      "-keyout",
      this.path("ca.key"),
      "-out",
      this.path("ca.pem"),
    ];
    openssl("req", "-x509", ...days, ...ca, "-addext", "keyUsage=critical,keyCertSign,cRLSign");
    this.trust(readFileSync(this.path("ca.pem"), "utf8"), "people");
    this.certify("voms", "/DC=org/DC=fermigrid/OU=Services/CN=voms.fermigrid.test");
  }

  /** Puts an authority where grid software looks for it, with what it may sign. */
  trust(pem: string, name: string): void {
    const file = join(this.certificates, `${name}.pem`);
    writeFileSync(file, pem);
    // Clients in Java look under the name that OpenSSL gave before its version 1.
    for (const way of ["-subject_hash", "-subject_hash_old"]) {
      const hash = execFileSync("openssl", ["x509", "-in", file, "-noout", way], { encoding: "utf8" }).trim();
      writeFileSync(join(this.certificates, `${hash}.0`), pem);
    }
  }

  certify(name: string, subject: string, extensions = ""): Credential {
    const [request_, key, cert, more] = [".csr", ".key", ".pem", ".ext"].map((end) => this.path(`${name}${end}`));
    openssl(
      "req",
      "-new",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-utf8",
      "-subj",
      subject,
      "-keyout",
      key!,
      "-out",
      request_!,
    );
    writeFileSync(
      more!,
      `keyUsage=critical,digitalSignature,keyEncipherment\nbasicConstraints=CA:FALSE\n${extensions}`,
    );
    const signing = ["-CA", this.path("ca.pem"), "-CAkey", this.path("ca.key"), "-CAcreateserial", "-extfile", more!];
    openssl("x509", "-req", "-in", request_!, ...signing, "-days", "2", "-out", cert!);
    return { cert: readFileSync(cert!, "utf8"), key: readFileSync(key!, "utf8") };
  }

  /** What somebody was certified with. */
  credential(name: string): Credential {
    return {
      cert: readFileSync(this.path(`${name}.pem`), "utf8"),
      key: readFileSync(this.path(`${name}.key`), "utf8"),
    };
  }

  /** @returns a proxy of somebody that was certified, with these attributes, the first being primary */
  proxy(name: string, fqans: readonly string[]): Credential {
    const out = this.path(`${name}.proxy`);
    this.proxies++;
    execFileSync(
      "voms-proxy-fake",
      [
        ...["-rfc", "-quiet", "-cert", this.path(`${name}.pem`), "-key", this.path(`${name}.key`), "-out", out],
        ...["-certdir", this.certificates, "-hostcert", this.path("voms.pem"), "-hostkey", this.path("voms.key")],
        ...["-voms", VO, "-uri", "voms.fermigrid.test:15001", ...fqans.flatMap((fqan) => ["-fqan", fqan])],
      ],
      { stdio: "pipe", timeout: 30_000 },
    );
    const pem = readFileSync(out, "utf8");
    const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----\n/.exec(pem)![0];
    return { cert: pem.replace(key, ""), key };
  }

  path(name: string): string {
    return join(this.directory, name);
  }
}

export interface ArcOptions {
  readonly people: People;
  readonly name: string;
  readonly port: number;
  readonly conversion: Conversion;
  /** Where it asks. */
  readonly pdp: string;
  /** What it shows there. */
  readonly identity: Identity;
}

export class ArcHost {
  readonly #process: ChildProcess;
  readonly #log: string;
  readonly port: number;
  /** Calls that were made again because ARC's own server broke the connection before it was one. */
  repeated = 0;

  private constructor(child: ChildProcess, log: string, port: number) {
    this.#process = child;
    this.#log = log;
    this.port = port;
  }

  static async start({ people, name, port, conversion, pdp, identity }: ArcOptions): Promise<ArcHost> {
    const host = people.certify(`host-${name}`, `/DC=org/DC=fermigrid/OU=Services/CN=${name}.fermigrid.test`);
    const path = (end: string): string => people.path(`${name}.${end}`);
    writeFileSync(path("host.pem"), host.cert);
    writeFileSync(path("host.key"), host.key, { mode: 0o600 });
    writeFileSync(path("asks.pem"), identity.cert);
    writeFileSync(path("asks.key"), identity.key, { mode: 0o600 });
    writeFileSync(path("xml"), configuration({ people, port, conversion, pdp, path }));
    const child = spawn("arched", ["-f", "-c", path("xml"), "-p", path("pid"), "-l", path("log")], {
      stdio: "ignore",
      env: { PATH: process.env.PATH, X509_CERT_DIR: people.certificates, HOME: people.directory },
    });
    const arc = new ArcHost(child, path("log"), port);
    await arc.#listening();
    return arc;
  }

  /** What the daemon wrote about its work. */
  log(): string {
    return readFileSync(this.#log, "utf8");
  }

  /**
   * One call of the echo service, on a connection of its own. ARC's server now and then writes the end of one connection into the next, whose
   * handshake then fails on either side: such a call never came to be one, and is made again.
   */
  async call(who: Credential): Promise<ArcAnswer> {
    for (let attempt = 0; ; attempt++)
      try {
        return await this.#callOnce(who);
      } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        if (attempt === 3 || !/^(EPROTO|ECONNRESET|ERR_SSL_.*)$/.test(code)) throw error;
        this.repeated++;
      }
  }

  #callOnce(who: Credential): Promise<ArcAnswer> {
    const body =
      '<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:echo="http://www.nordugrid.org/schemas/echo"><soap-env:Body><echo:echo><echo:say>salve</echo:say></echo:echo></soap-env:Body></soap-env:Envelope>';
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port: this.port,
          path: "/Echo",
          method: "POST",
          ...who,
          rejectUnauthorized: false,
          agent: false,
          timeout: 20_000,
          headers: { connection: "close", "content-type": "text/xml", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            text += chunk;
          });
          // Not before the other side has let go: what it does with a connection it does to the next of that number.
          response.socket.once("close", () => resolve({ echoed: text.includes("[ salve ]"), body: text }));
        },
      );
      sent.on("timeout", () => sent.destroy(new Error("ARC did not answer within 20 s")));
      sent.on("error", reject);
      sent.end(body);
    });
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill("SIGKILL");
    await ended;
  }

  async #listening(): Promise<void> {
    for (;;) {
      if (this.#process.exitCode !== null) throw new Error(`arched ended:\n${this.log()}`);
      const there = await new Promise<boolean>((resolve) => {
        const socket = createConnection({ host: "127.0.0.1", port: this.port }, () => {
          socket.destroy();
          resolve(true);
        });
        socket.on("error", () => resolve(false));
      });
      if (there) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function configuration({
  people,
  port,
  conversion,
  pdp,
  path,
}: Pick<ArcOptions, "people" | "port" | "conversion" | "pdp"> & { readonly path: (end: string) => string }): string {
  const plugins = ["mcctcp", "mcctls", "mcchttp", "mccsoap", "arcshc", "arguspdpclient", "echo"];
  return `<?xml version="1.0"?>
<ArcConfig xmlns="http://www.nordugrid.org/schemas/ArcConfig/2007" xmlns:tcp="http://www.nordugrid.org/schemas/ArcMCCTCP/2007" xmlns:echo="http://www.nordugrid.org/schemas/echo/2009/08">
<Server><Pidfile>${path("pid")}</Pidfile><Logger level="DEBUG"><File>${path("log")}</File></Logger></Server>
<ModuleManager><Path>${PLUGINS}</Path></ModuleManager>
${plugins.map((name) => `<Plugins><Name>${name}</Name></Plugins>`).join("\n")}
<Chain>
<Component name="tcp.service" id="tcp"><next id="tls"/><tcp:Listen><tcp:Interface>127.0.0.1</tcp:Interface><tcp:Port>${port}</tcp:Port></tcp:Listen></Component>
<Component name="tls.service" id="tls"><next id="http"/>
<KeyPath>${path("host.key")}</KeyPath><CertificatePath>${path("host.pem")}</CertificatePath><CACertificatesDir>${people.certificates}</CACertificatesDir>
<VOMSCertTrustDNChain><VOMSCertTrustDN>/DC=org/DC=fermigrid/OU=Services/CN=voms.fermigrid.test</VOMSCertTrustDN><VOMSCertTrustDN>/DC=org/DC=fermigrid/CN=People CA</VOMSCertTrustDN></VOMSCertTrustDNChain>
</Component>
<Component name="http.service" id="http"><next id="soap">POST</next></Component>
<Component name="soap.service" id="soap"><next id="plexer"/></Component>
<Plexer name="plexer.service" id="plexer"><next id="echo">^/Echo$</next></Plexer>
<Service name="echo" id="echo">
<SecHandler name="arguspdpclient.map" id="map" event="incoming">
<PDPD>${pdp}</PDPD><Conversion>${conversion}</Conversion><AcceptMapping>true</AcceptMapping>
<KeyPath>${path("asks.key")}</KeyPath><CertificatePath>${path("asks.pem")}</CertificatePath><CACertificatesDir>${people.certificates}</CACertificatesDir>
</SecHandler>
<echo:prefix>[ </echo:prefix><echo:suffix> ]</echo:suffix><echo:serviceid>echo</echo:serviceid><echo:endpoint>127.0.0.1</echo:endpoint><echo:expiration>P15M</echo:expiration>
</Service>
</Chain>
</ArcConfig>
`;
}
