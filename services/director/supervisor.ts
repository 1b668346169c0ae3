/**
 * Asks the supervisor of the peer's host (it stands for the hardware) to end a peer that hangs. The key allows ending that one guest
 * and nothing else; it travels over a Unix socket and is never logged. One line there, one line back, bounded in time and size.
 */
import { connect } from "node:net";
import type { EndIfHungReply, EndIfHungRequest } from "../../src/model/index.ts";

export type SupervisorAnswer =
  | EndIfHungReply
  | { readonly ended: false; readonly state: "unreachable"; readonly says: string };

/**
 * @param path the supervisor's socket
 * @param timeoutMs milliseconds until it counts as unreachable
 * @returns its answer, or why there was none; never throws
 */
export function endIfHung(path: string, request: EndIfHungRequest, timeoutMs: number): Promise<SupervisorAnswer> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(path);
    const finish = (answer: SupervisorAnswer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const none = (says: string) => finish({ ended: false, state: "unreachable", says });
    const timer = setTimeout(() => none(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.setEncoding("utf8");
    socket.on("error", (error: NodeJS.ErrnoException) => none(`cannot be asked (${error.code})`));
    socket.on("connect", () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on("data", (chunk: string) => {
      text += chunk;
      const end = text.indexOf("\n");
      if (end >= 0) finish(readReply(text.slice(0, end)));
      else if (text.length > 4096) none("its answer does not end");
    });
    socket.on("close", () => none("it hung up without an answer"));
  });
}

function readReply(line: string): SupervisorAnswer {
  try {
    const reply = JSON.parse(line) as Partial<EndIfHungReply>;
    if (typeof reply.ended === "boolean" && typeof reply.state === "string") {
      return { ended: reply.ended, state: reply.state, says: String(reply.says ?? "") };
    }
  } catch {
    // Said below.
  }
  return { ended: false, state: "unreachable", says: "its answer is not understood" };
}
