/** A real SMTP server for tests, which keeps what it is given and can be told to refuse. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

export interface Received {
  readonly from: string;
  readonly to: readonly string[];
  /** Fields of the head by their names in lower case, unfolded; decoded where they were encoded. */
  readonly fields: Readonly<Record<string, string>>;
  /** As people read it. */
  readonly text: string;
  readonly secure: boolean;
  readonly user: string | null;
}

export interface SmtpOptions {
  readonly cert: string;
  readonly key: string;
  readonly address: string;
  readonly port?: number;
  /** TLS from the first octet. */
  readonly secure?: boolean;
  /** Offers no encryption. */
  readonly plain?: boolean;
  readonly login?: { readonly user: string; readonly password: string };
}

const decodedWord = (text: string): string =>
  text
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?utf-8\?Q\?([^?]*)\?=/gi, (_, words: string) => quoted(words.replaceAll("_", " ")))
    .replace(/=\?utf-8\?B\?([^?]*)\?=/gi, (_, words: string) => Buffer.from(words, "base64").toString("utf8"));

function quoted(text: string): string {
  const octets = text
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, "latin1").toString("utf8");
}

/** @param raw a message as it came */
export function readMessage(raw: string): Pick<Received, "fields" | "text"> {
  const end = raw.indexOf("\r\n\r\n");
  const fields: Record<string, string> = {};
  for (const line of raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, " ")
    .split("\r\n")) {
    const colon = line.indexOf(":");
    fields[line.slice(0, colon).toLowerCase()] = decodedWord(line.slice(colon + 1).trim());
  }
  const body = raw.slice(end + 4);
  const encoding = (fields["content-transfer-encoding"] ?? "7bit").toLowerCase();
  const text =
    encoding === "quoted-printable"
      ? quoted(body)
      : encoding === "base64"
        ? Buffer.from(body, "base64").toString("utf8")
        : body;
  return { fields, text: text.replaceAll("\r\n", "\n") };
}

export class SmtpHouse {
  readonly received: Received[] = [];
  /** Receivers that are refused: for good (550) or for now (450). */
  readonly refused = new Map<string, number>();
  readonly #server: SMTPServer;
  #port = 0;

  private constructor({ cert, key, secure = false, plain = false, login }: SmtpOptions) {
    this.#server = new SMTPServer({
      secure,
      hideSTARTTLS: plain,
      disabledCommands: plain ? ["STARTTLS"] : [],
      cert,
      key,
      authOptional: login === undefined,
      // Whoever does not encrypt is not let in; encrypted, he has to say who he is where a login is set.
      allowInsecureAuth: false,
      onAuth: (auth, _session, callback) =>
        login !== undefined && auth.username === login.user && auth.password === login.password
          ? callback(null, { user: login.user })
          : callback(new Error("who are you")),
      onRcptTo: ({ address }, _session, callback) => {
        const code = this.refused.get(address);
        callback(code === undefined ? null : Object.assign(new Error("not here"), { responseCode: code }));
      },
      onData: (stream, session, callback) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.received.push({
            from: mailFrom ? mailFrom.address : "",
            to: rcptTo.map(({ address }) => address),
            secure: session.secure,
            user: typeof session.user === "string" ? session.user : null,
            ...readMessage(Buffer.concat(chunks).toString("latin1")),
          });
          callback();
        });
      },
    });
    this.#server.on("error", () => {});
  }

  static async open(options: SmtpOptions): Promise<SmtpHouse> {
    const house = new SmtpHouse(options);
    const listening = house.#server.listen(options.port ?? 0, options.address);
    await once(listening, "listening");
    house.#port = (listening.address() as AddressInfo).port;
    return house;
  }

  get port(): number {
    return this.#port;
  }

  /** Those to one address, the oldest first. */
  to(address: string): readonly Received[] {
    return this.received.filter(({ to }) => to.includes(address));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
