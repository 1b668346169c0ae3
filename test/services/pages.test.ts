/** The static site: what is served and what is refused. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { preparePages } from "../../services/static-site/pages.ts";
import { encodeProxyHeader } from "../../src/world/index.ts";
import { address, Stage } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.open();
  const pages = {
    "/index.html": "<h1>Our wiki</h1>",
    "/docs/index.html": "docs",
    "style.css": "b{}",
    "/a b.txt": "blank",
  };
  await Promise.all([
    stage.cast({
      name: "w1",
      bundle: "static-site",
      address: address(30),
      files: { "etc/site.json": { port: 8080, directors: [address(2)], pages } },
    }),
  ]);
});
after(() => stage.close());

function get(path: string, method = "GET", headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const sent = request({ host: address(30), port: 8080, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("pages with their types, folders, HEAD, entity tags", async () => {
  const home = await get("/");
  assert.equal(home.status, 200);
  assert.equal(home.body, "<h1>Our wiki</h1>");
  assert.equal(home.headers["content-type"], "text/html; charset=utf-8");
  assert.equal((await get("/docs/")).body, "docs");
  assert.equal((await get("/style.css?v=1")).headers["content-type"], "text/css; charset=utf-8");
  assert.equal((await get("/a%20b.txt")).body, "blank");
  const head = await get("/", "HEAD");
  assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", "17"]);
  const unchanged = await get("/", "GET", { "if-none-match": `W/${String(home.headers.etag)}` });
  assert.deepEqual([unchanged.status, unchanged.body], [304, ""]);
  assert.equal((await get("/", "GET", { "if-none-match": '"other"' })).status, 200);
  assert.equal((await get("/nothing")).status, 404);
  assert.equal((await get("/", "POST")).status, 405);
  for (const path of ["/../etc/passwd", "/%2e%2e/etc/passwd", "/docs/../../root/etc/site.json", "/etc/site.json"])
    assert.equal((await get(path)).status, 404);
  assert.equal((await get("/%zz")).status, 400);
});

test("any target gives an answer", () => {
  const answer = preparePages({ "/index.html": "x" });
  fc.assert(
    fc.property(fc.string(), (target) => {
      assert.ok([200, 400, 404].includes(answer("GET", target).status));
    }),
  );
});

test("a connection from a director begins with a PROXY header, and only such a one may", async () => {
  const say = (localAddress: string | undefined, octets: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: address(30), port: 8080, ...(localAddress ? { localAddress } : {}) }, () => {
        socket.write(octets);
        socket.write("GET / HTTP/1.1\r\nhost: w\r\nconnection: close\r\n\r\n");
      });
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
  const header = encodeProxyHeader({
    source: { address: "10.0.0.1", port: 1 },
    destination: { address: address(30), port: 8080 },
  });
  assert.match(await say(address(2), header), /200 OK[\s\S]*Our wiki/);
  assert.doesNotMatch(await say(undefined, header), /200 OK/);
  assert.match(await say(undefined, Buffer.alloc(0)), /200 OK/);
});
