/**
 * The measure of all: node:https with mutual TLS that takes every request whole, answers a GET with one text and a POST with another, and does
 * nothing else.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const [address = "", port = "", tls = "", got = "", posted = ""] = process.argv.slice(2);
const read = (name: string): string => readFileSync(`${tls}/${name}.pem`, "utf8");
const server = createServer(
  { ca: read("ca"), cert: read("cert"), key: read("key"), requestCert: true, rejectUnauthorized: true, noDelay: true },
  (request, response) => {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "application/json", "content-length": got.length });
      response.end(got);
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.writeHead(200, { "content-type": "text/xml; charset=utf-8", "content-length": posted.length });
      response.end(posted);
    });
  },
);
server.listen({ host: address, port: Number(port), backlog: 1024 }, () => process.stdout.write("serving\n"));
process.on("SIGTERM", () => process.exit(0));
