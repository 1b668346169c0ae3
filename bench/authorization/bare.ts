/** The measure of all: node:https with mutual TLS that answers every request with the same octets and does nothing else. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const [address = "", port = "", tls = "", body = ""] = process.argv.slice(2);
const read = (name: string): string => readFileSync(`${tls}/${name}.pem`, "utf8");
const server = createServer(
  { ca: read("ca"), cert: read("cert"), key: read("key"), requestCert: true, rejectUnauthorized: true, noDelay: true },
  (_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  },
);
server.listen({ host: address, port: Number(port), backlog: 1024 }, () => process.stdout.write("serving\n"));
process.on("SIGTERM", () => process.exit(0));
