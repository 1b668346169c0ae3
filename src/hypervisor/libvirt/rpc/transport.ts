/** Octets to and from a daemon: a socket of this machine, TCP, TLS with certificates on both sides, or the OpenSSH program. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { tlsStream } from "../../../world/index.ts";
import type { HypervisorAddress, Transport } from "./address.ts";

/** Milliseconds until a connection must stand. */
const PATIENCE = 10_000;
/** Where libvirt's own tools look for certificates. https://libvirt.org/kbase/tlscerts.html */
const PKI = {
  ca: "/etc/pki/CA/cacert.pem",
  cert: "/etc/pki/libvirt/clientcert.pem",
  key: "/etc/pki/libvirt/private/clientkey.pem",
};

/**
 * @returns a stream that is ready for the first packet
 * @throws Error in one sentence
 */
export async function openTransport({ transport, uri }: HypervisorAddress): Promise<Duplex> {
  switch (transport.kind) {
    case "unix":
      return ready(connectTcp({ path: transport.path }), "connect", transport.path);
    case "tcp":
      return ready(
        connectTcp({ host: transport.host, port: transport.port, noDelay: true }),
        "connect",
        `${transport.host}:${transport.port}`,
      );
    case "tls":
      return openTls(transport);
    case "ssh":
      return openSsh(transport, uri);
  }
}

async function ready<Stream extends Duplex>(stream: Stream, event: string, where: string): Promise<Stream> {
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no connection in time")), PATIENCE);
      stream.once(event, () => {
        clearTimeout(timer);
        resolve();
      });
      stream.once("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      stream.once("close", () => {
        clearTimeout(timer);
        reject(new Error("it hung up"));
      });
    });
  } catch (error) {
    stream.destroy();
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
  return stream;
}

async function openTls({ host, port, pki }: Extract<Transport, { kind: "tls" }>): Promise<Duplex> {
  const files =
    pki === null
      ? PKI
      : { ca: join(pki, "cacert.pem"), cert: join(pki, "clientcert.pem"), key: join(pki, "clientkey.pem") };
  const read = (file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      throw new Error(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
    }
  };
  const socket = tlsStream({ host, port, ca: read(files.ca), cert: read(files.cert), key: read(files.key) });
  await ready(socket, "secureConnect", `${host}:${port}`);
  // The daemon looks at our certificate now, and says by one octet that it will do; otherwise it hangs up.
  const [first] = await new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => refuse("is silent about our certificate"), PATIENCE);
    const refuse = (says: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Error(`${host}:${port}: ${says}`));
    };
    const onClose = (): void => refuse("does not take our certificate");
    socket.once("close", onClose);
    socket.on("error", () => {});
    socket.once("readable", () => {
      const octet = socket.read(1) as Buffer | null;
      if (octet === null) return;
      clearTimeout(timer);
      socket.off("close", onClose);
      resolve(octet);
    });
  });
  if (first !== 1) {
    socket.destroy();
    throw new Error(`${host}:${port}: does not take our certificate`);
  }
  return socket;
}

/** Words of the far shell are few and fixed; what comes from the address is quoted for it. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

async function openSsh(
  { host, port, user, keyFile, path }: Extract<Transport, { kind: "ssh" }>,
  uri: string,
): Promise<Duplex> {
  const helper = path === null ? `virt-ssh-helper ${quoted(uri)}` : `nc -U ${quoted(path)}`;
  const words = [
    ...["-T", "-e", "none", "-o", "BatchMode=yes"],
    ...(port === null ? [] : ["-p", String(port)]),
    ...(user === null ? [] : ["-l", user]),
    ...(keyFile === null ? [] : ["-i", keyFile]),
    ...["--", host, helper],
  ];
  const child = spawn("ssh", words, { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    said = (said + part).slice(-500);
  });
  // Node takes the two ends of a process; its types know web streams alone here.
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin } as unknown as Iterable<Buffer>);
  stream.once("close", () => child.kill());
  child.once("error", (error) => stream.destroy(new Error(`ssh cannot be started: ${error.message}`)));
  child.once("exit", (code) => {
    if (code !== 0) stream.destroy(new Error(`ssh ${host}: ${said.trim().split("\n").at(-1) || `ended with ${code}`}`));
  });
  return stream;
}
