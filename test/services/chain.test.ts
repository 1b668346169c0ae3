/** No chain, no service: what a copy tries at start, with Node as it is and with the fault that some versions of it have. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type DetailedPeerCertificate, TLSSocket } from "node:tls";
import { requireClientChain } from "../../services/serving/chain.ts";
import { address, type Identity, Stage } from "./stage.ts";

let stage: Stage;
let own: Identity;
before(async () => {
  stage = await Stage.open();
  own = await stage.identity("g1", "guest", [address(40)]);
});
after(() => stage.close());

test("with the chain in sight a copy starts", () => requireClientChain(own, address(40)));

test("Node that shows the client's leaf alone (24.21, 26.8, 26.9) is refused with a sentence", async (context) => {
  const { getPeerCertificate } = TLSSocket.prototype;
  context.mock.method(TLSSocket.prototype, "getPeerCertificate", function (this: TLSSocket, detailed?: boolean) {
    const { issuerCertificate: _lost, ...leaf } = getPeerCertificate.call(this, detailed) as DetailedPeerCertificate;
    return leaf;
  });
  await assert.rejects(requireClientChain(own, address(40)), {
    name: "StartRefused",
    message: /does not show the client's certificate chain to the server: no chain, no service/,
  });
});

test("certificates of another authority are refused at start, not at the first call", async () => {
  const strangers = await Stage.open();
  const other = await strangers.identity("g1", "guest", [address(40)]);
  await assert.rejects(requireClientChain({ ...own, ca: other.ca }, address(40)), { name: "StartRefused" });
  await strangers.close();
});
