/** The questions of one copy or alias, asked in turn, with a new connection each as clients of a site make them. */
import type { Blueprint, BlueprintAlias, BlueprintGuest } from "../../model/index.ts";
import { type Ask, askProbe, judge } from "../../probe/index.ts";
import { questionsFor } from "../../recipes/index.ts";
import { connector, RequestFailure } from "../../world/index.ts";
import type { Subject } from "../subject.ts";

/** One question to one address. */
export interface Interviewed {
  readonly asks: string;
  /** Whether what is said must be the same from every copy. */
  readonly compared: boolean;
  readonly right: string | null;
  readonly ask: (timeoutMs: number, signal: AbortSignal) => Promise<Heard>;
}

/** `said` is `null` where nothing can be compared. */
export interface Heard {
  readonly good: boolean;
  readonly says: string;
  readonly said: string | null;
}

export type Interview = readonly Interviewed[];

/** What was said to each question, and how often; the last one first heard last. */
export type Answers = Map<Interviewed, Map<string, number>>;

interface Far {
  readonly address: string;
  readonly port: number;
  /** In the certificate. */
  readonly name: string;
}

/** Milliseconds for a connection, as a client of the site has. */
const CONNECT = 500;

/** @returns what is asked of an alias or of a copy behind it; at least one question */
export function questionsOf(subject: Subject, alias: BlueprintAlias, far: Far): Interview {
  const service = subject.site.services.find(({ name }) => name === alias.service);
  const questions = (service ? questionsFor(service, alias) : []).map(
    ({ request, asks, reads, right }): Interviewed => {
      const secure = request.scheme === "https";
      const destination = {
        scheme: request.scheme,
        address: far.address,
        port: far.port,
        servername: secure ? far.name : null,
        tls: secure ? subject.tls : null,
        localAddress: null,
        preamble: null,
        connectTimeoutMs: CONNECT,
      };
      return {
        asks,
        compared: reads !== null,
        right,
        ask: async (timeoutMs, signal) => {
          const line = connector(destination, false);
          try {
            const { method, path, body, type } = request;
            const headers = body === null ? {} : { "content-type": type ?? "application/json" };
            const answer = await line.ask({ method, path, body, headers, timeoutMs, signal });
            const judged = judge(request, answer.status, answer.body);
            if (judged.end !== "answered") return { good: false, says: `${asks}: ${judged.says}`, said: null };
            return { good: true, says: "", said: reads?.(answer.body) ?? null };
          } catch (error) {
            if (!(error instanceof RequestFailure)) throw error;
            return { good: false, says: `${asks}: ${error.message}`, said: null };
          } finally {
            line.close();
          }
        },
      };
    },
  );
  if (questions.length > 0) return questions;
  // Databases: whoever speaks first proves more than a kernel that takes connections.
  return [bare("a connection", subject.question(alias, far.address, far.name))];
}

/** What is asked of a guest behind no alias: its own probe. */
export function ownProbe({ tls }: Subject, { name, address, definition }: BlueprintGuest): Interviewed {
  const { probe } = definition;
  const asks = probe.kind === "http" || probe.kind === "https" ? `GET ${probe.path}` : "its probe";
  return bare(asks, askProbe(probe, address, tls, name));
}

const bare = (asks: string, ask: Ask): Interviewed => ({
  asks,
  compared: false,
  right: null,
  ask: async (timeoutMs, signal) => ({ ...(await ask(timeoutMs, signal)), said: null }),
});

/** Asks each question in turn and keeps what was said. */
export function interview(questions: Interview, answers: Answers): Ask {
  let next = 0;
  return async (timeoutMs, signal) => {
    const question = questions[next++ % questions.length]!;
    const heard = await question.ask(timeoutMs, signal);
    if (heard.said !== null) {
      const known = answers.get(question) ?? new Map<string, number>();
      known.set(heard.said, (known.get(heard.said) ?? 0) + 1);
      answers.set(question, known);
    }
    return heard;
  };
}

/** A guest may stand behind two aliases: then the part says which of its programs is meant. */
export function copyOf(blueprint: Blueprint, alias: BlueprintAlias, guest: string): string {
  const aliases = blueprint.aliases.filter(({ backends }) => backends.some((one) => one.guest === guest));
  return aliases.length > 1 && aliases[0] !== alias ? `copy ${guest} (${alias.name})` : `copy ${guest}`;
}
