// A service of somebody's own with moods: what it does is in a file named after its guest, read at each request, so that a test can spoil one copy.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [address, moods] = process.argv.slice(2);
const mood = () => {
  try {
    return readFileSync(`${moods}/${process.env.DOMUS_GUEST}`, "utf8").trim().split(" ");
  } catch {
    return ["well"];
  }
};
const answers = {
  well: (answer) => answer.end("the right answer\n"),
  wrong: (answer) => answer.end("another answer\n"),
  slow: (answer, ms) => setTimeout(() => answer.end("the right answer\n"), Number(ms)),
  // One after the other, whoever asks: so many milliseconds each.
  turns: (answer, ms) => {
    turn = turn.then(() => new Promise((resolve) => setTimeout(resolve, Number(ms))));
    turn.then(() => answer.end("the right answer\n"));
  },
  broken: (answer) => answer.writeHead(500).end("broken\n"),
  // Dies with every so many requests: its host starts it again.
  dies: (answer, every) => (++count >= Number(every) ? process.exit(1) : answer.end("the right answer\n")),
};
let count = 0;
let turn = Promise.resolve();
createServer((_request, answer) => {
  const [name, parameter] = mood();
  answers[name](answer, parameter);
}).listen(8080, address);
