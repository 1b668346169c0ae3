/**
 * Long work that reads much (searching the record, comparing policies) is done one piece at a time: decisions come first. Operators who ask
 * at the same moment wait for each other, because an answer without this copy's part would look like a whole one.
 */
import { Refusal } from "./answer.ts";

/** Pieces of work that wait; more are refused. */
const WAITING = 8;

/**
 * @param what goes on, for the sentence of a refusal
 * @returns does a piece of work when those before it are through; rejects with {@link Refusal} 429 when too many wait
 */
export function oneAtATime(what: string): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return (work) => {
    if (waiting > WAITING) return Promise.reject(new Refusal(429, `${what} ${waiting} times already: try again`));
    waiting++;
    const run = last.then(work).finally(() => waiting--);
    last = run.catch(() => {});
    return run;
  };
}
