/**
 * The client of the benchmark, a process of its own: reads its task as one line of JSON from its input, says what came of it as one line.
 * `kept`: each connection asks again as soon as it is answered. `new`: a new connection for each call. `paced`: kept connections that ask
 * at given times, whether or not the last was answered, so that waiting is not hidden.
 */
import { prebuild, prebuildPost, RawConnection, Tally, type Target } from "./raw-client.ts";

export interface Task {
  readonly mode: "kept" | "new" | "paced";
  readonly target: Target;
  readonly paths: readonly string[];
  /** Posted to the first path in place of asking for each: a text in which each of the values stands for its name in braces. */
  readonly post?: { readonly template: string; readonly values: readonly Readonly<Record<string, string>>[] };
  readonly connections: number;
  /** Of calls in a second, for `paced`. */
  readonly rate: number;
  readonly warmupMs: number;
  readonly milliseconds: number;
}

export interface TaskReport extends ReturnType<Tally["report"]> {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Runner {
  tally = new Tally();
  running = true;
  readonly #task: Task;
  readonly #requests: readonly Buffer[];
  #next = 0;

  constructor(task: Task) {
    this.#task = task;
    const { paths, post, target } = task;
    this.#requests =
      post === undefined
        ? paths.map((path) => prebuild(target.servername, path))
        : post.values.map((values) => {
            const body = post.template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
            return prebuildPost(target.servername, paths[0]!, body);
          });
  }

  request(): Buffer {
    return this.#requests[this.#next++ % this.#requests.length]!;
  }

  /** A kept connection that is never without a question. */
  kept(): void {
    const connection = new RawConnection(this.#task.target);
    let since = 0;
    const ask = (): void => {
      since = performance.now();
      connection.send(this.request());
    };
    connection.onStanding = ask;
    connection.onAnswer = (status) => {
      this.tally.add(status, performance.now() - since);
      if (this.running) ask();
      else connection.close();
    };
    connection.onEnd = (how) => {
      if (!this.running) return;
      this.tally.add(how, performance.now() - since);
      setTimeout(() => this.kept(), 10);
    };
  }

  fresh(): void {
    const since = performance.now();
    const connection = new RawConnection(this.#task.target);
    let outcome: number | null = null;
    connection.onStanding = () => connection.send(this.request());
    connection.onAnswer = (status) => {
      outcome = status;
      this.tally.add(status, performance.now() - since);
      connection.close();
    };
    connection.onEnd = (how) => {
      if (outcome === null && this.running) this.tally.add(how, performance.now() - since);
      if (this.running) this.fresh();
    };
  }

  paced(): void {
    const { connections, rate } = this.#task;
    const every = (connections * 1000) / rate;
    for (let index = 0; index < connections; index++) this.#pacedOne(every, (index * every) / connections);
  }

  #pacedOne(every: number, offset: number): void {
    const asked: number[] = [];
    const connection = new RawConnection(this.#task.target);
    connection.onAnswer = (status) => this.tally.add(status, performance.now() - asked.shift()!);
    connection.onEnd = (how) => {
      if (!this.running) return;
      for (const since of asked.length > 0 ? asked : [performance.now()])
        this.tally.add(how, performance.now() - since);
      this.#pacedOne(every, offset);
    };
    connection.onStanding = () => {
      const began = performance.now() + offset;
      let count = 0;
      const tick = (): void => {
        if (!this.running || connection.socket.destroyed) return void connection.close();
        asked.push(performance.now());
        connection.send(this.request());
        count++;
        setTimeout(tick, Math.max(0, began + count * every - performance.now()));
      };
      setTimeout(tick, offset);
    };
  }
}

async function work(task: Task): Promise<TaskReport> {
  const runner = new Runner(task);
  if (task.mode === "paced") runner.paced();
  else for (let index = 0; index < task.connections; index++) task.mode === "kept" ? runner.kept() : runner.fresh();
  await pause(task.warmupMs);
  runner.tally = new Tally();
  process.stdout.write("begun\n");
  const [began, used] = [performance.now(), process.cpuUsage()];
  await pause(task.milliseconds);
  const { user, system } = process.cpuUsage(used);
  const seconds = (performance.now() - began) / 1000;
  runner.running = false;
  return { ...runner.tally.report(), seconds, cpuSeconds: (user + system) / 1e6 };
}

let text = "";
for await (const chunk of process.stdin) text += chunk;
process.stdout.write(`${JSON.stringify(await work(JSON.parse(text) as Task))}\n`);
process.exit(0);
