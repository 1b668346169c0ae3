/** One connection: its certificate, its requests in order, its answers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect as tlsConnect } from "node:tls";
import { answers, get, house, identities, OWN, secure } from "./http-house.ts";

test("no session is resumed: each connection shows its own certificate", async () => {
  await using server = await house({
    routes: { "GET /who": ({ peer }) => ({ status: 200, body: JSON.stringify(peer) }) },
  });
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    let session: Buffer | undefined;
    for (const who of ["quiet", "loud", "quiet"] as const) {
      const socket = tlsConnect({
        host: OWN,
        port: server.port,
        servername: "s1",
        ...identities[who],
        maxVersion,
        ...(session === undefined ? {} : { session }),
      });
      socket.on("session", (given) => {
        session = given;
      });
      socket.write(get("/who"));
      const [answer] = await answers(socket, 1);
      assert.deepEqual(JSON.parse(answer!.body), { name: `ce-${who}`, unit: "guest" });
      assert.equal(socket.isSessionReused(), false);
      session ??= socket.getSession();
      socket.destroy();
    }
  }
});

test("one answer for each request, in order, wherever the octets are cut; nothing after a fault", async () => {
  await using server = await house({
    routes: { "GET /n": ({ query }) => ({ status: 200, body: query.get("n") ?? "" }) },
  });
  const text = Array.from({ length: 30 }, (_, n) => get(`/n?n=${n}`)).join("");
  const socket = secure(server.port, identities.quiet);
  for (let at = 0; at < text.length; at += 37) socket.write(text.slice(at, at + 37));
  assert.deepEqual(
    (await answers(socket, 30)).map(({ body }) => body),
    Array.from({ length: 30 }, (_, n) => String(n)),
  );
  socket.write(`${get("/n?n=a")}GET /bad\r\n\r\n${get("/n?n=b")}`);
  assert.deepEqual(
    (await answers(socket, 3)).map(({ status }) => status),
    [200, 400],
  );
  socket.destroy();
});

test("what has not changed is said without a length that would be another text's", async () => {
  await using server = await house({ routes: { "GET /file": () => ({ status: 304, body: "", etag: '"1"' }) } });
  const socket = secure(server.port, identities.quiet);
  socket.write(get("/file"));
  const [chunk] = (await once(socket, "data")) as [Buffer];
  assert.match(chunk.toString(), /^HTTP\/1\.1 304 Not Modified\r\ndate: .*\r\netag: "1"\r\n/);
  assert.doesNotMatch(chunk.toString(), /content-/);
  socket.destroy();
});
