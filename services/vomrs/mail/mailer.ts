/**
 * Sends one e-mail over SMTP: encrypted and with the server's certificate verified where the site file demands it, bounded in time. Addresses go to the
 * library as addresses and never as text to be taken apart; a subject cannot have a second line: no field of a message can be made by what people write.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createTransport } from "nodemailer";
import type { MailRule } from "../../../src/recipes/index.ts";
import { LETTERS, type Notice } from "./notices.ts";

/** Milliseconds: to connect, to be greeted, between two words, and in all. */
const TIMEOUTS = { connect: 5000, greeting: 5000, silence: 10_000, all: 30_000 } as const;
/** Receivers of one e-mail. */
const MOST = 50;

/** Why an e-mail did not go out. `refused`: this address will never be taken, trying again is of no use. */
export class NotSent extends Error {
  override readonly name = "NotSent";
  readonly refused: boolean;
  constructor(message: string, refused: boolean) {
    super(message);
    this.refused = refused;
  }
}

const plain = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();

export class Mailer {
  readonly #rule: MailRule;

  constructor(rule: MailRule) {
    this.#rule = rule;
  }

  /**
   * Files are read anew for each: a password that was changed is used from the next e-mail on.
   * @throws {NotSent}
   */
  async send(notice: Notice): Promise<void> {
    const { server, port, tls, from, authority, login } = this.#rule;
    let transport: ReturnType<typeof createTransport> | null = null;
    try {
      transport = createTransport({
        host: server,
        port,
        secure: tls === "tls",
        requireTLS: tls === "starttls",
        ignoreTLS: tls === "none",
        ...(login === null
          ? {}
          : { auth: { user: login.user, pass: readFileSync(login.passwordFile, "utf8").trim() } }),
        tls: {
          minVersion: "TLSv1.2",
          rejectUnauthorized: true,
          ...(authority === null ? {} : { ca: readFileSync(authority, "utf8") }),
        },
        connectionTimeout: TIMEOUTS.connect,
        greetingTimeout: TIMEOUTS.greeting,
        socketTimeout: TIMEOUTS.silence,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      const { letter, to } = notice;
      const { subject, lines } = LETTERS[letter.kind];
      const greeting = LETTERS[letter.kind].greets ? `Hello ${letter.name},` : "Hello,";
      await within(
        transport.sendMail({
          from: { name: letter.title, address: from },
          to: to.slice(0, MOST).map((address) => ({ name: "", address })),
          subject: plain(subject(letter)),
          text: [
            greeting,
            "",
            ...lines(letter).map((line) => line.replace(/[\r\n]+/g, " ")),
            "",
            "-- ",
            `${plain(letter.title)}, this is sent by a program`,
            "",
          ].join("\n"),
          // The same e-mail sent twice, after a copy died in between, has the same name: many readers show it once.
          messageId: `<${nameOf(notice)}@${from.slice(from.indexOf("@") + 1)}>`,
          headers: { "Auto-Submitted": "auto-generated" },
        }),
      );
    } catch (error) {
      throw notSent(error);
    } finally {
      transport?.close();
    }
  }
}

/** @returns a name of the e-mail that is the same in every copy, and says nothing */
export function nameOf({ vo, person, what }: Pick<Notice, "vo" | "person" | "what">): string {
  return createHash("sha256").update(`${vo}\n${person}\n${what}`).digest("hex").slice(0, 32);
}

function within<Result>(work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not sent within ${TIMEOUTS.all / 1000} s`)), TIMEOUTS.all);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** SMTP 5xx about an address is for good; everything else may pass. */
function notSent(error: unknown): NotSent {
  const {
    code = "",
    responseCode = 0,
    message = String(error),
  } = error as { code?: string; responseCode?: number; message?: string };
  return new NotSent(plain(message).slice(0, 400), code === "EENVELOPE" && responseCode >= 500 && responseCode < 600);
}
