/** What a neutral guest becomes on the embedded default. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUSE_ARGUMENTS, processDocument } from "../../src/hypervisor/index.ts";
import { testOrder } from "../support/orders.ts";

const PLACES = { root: "/r", data: "/d", bundles: "/b", peers: "/p", node: "/n", tag: "key/one/" };

describe("the process document", () => {
  it("fills in places, and nothing else in braces", () => {
    const order = testOrder("one", { address: "127.1.2.3" });
    const document = processDocument(
      {
        ...order,
        definition: {
          ...order.definition,
          ports: { service: 8080 },
          program: {
            kind: "command",
            command: ["serve", "{address}:{port}", "{root}/www", "{data}", "{other} $HOME; rm -rf {"],
          },
          environment: { WHERE: "{data}/x", DOMUS_GUEST: "impostor" },
        },
      },
      PLACES,
    );
    assert.deepEqual(
      [document?.program, ...(document?.arguments ?? [])],
      ["serve", "127.1.2.3:8080", "/r/www", "/d", "{other} $HOME; rm -rf {"],
    );
    assert.equal(document?.environment.WHERE, "/d/x");
    assert.equal(document?.environment.DOMUS_GUEST, "one", "the host's own words win");
    assert.equal(document?.environment.DOMUS_TAG, "key/one/");
  });

  it("passes nothing of the host's own environment on", () => {
    process.env.DOMUS_TEST_SECRET = "secret";
    const document = processDocument(testOrder("one"), PLACES);
    assert.equal(document?.environment.DOMUS_TEST_SECRET, undefined);
  });

  it("runs programs of the house with the pinned Node from the bundle store, and nothing for an empty place", () => {
    const order = testOrder("one", { bundle: "gums-1.mjs" });
    const bundle = processDocument(
      { ...order, definition: { ...order.definition, program: { kind: "bundle", bundle: "gums" } } },
      PLACES,
    );
    assert.equal(bundle?.program, "/n");
    assert.deepEqual(bundle?.arguments, [...HOUSE_ARGUMENTS, "/b/gums-1.mjs"]);
    assert.equal(
      processDocument({ ...order, definition: { ...order.definition, program: { kind: "none" } } }, PLACES),
      null,
    );
  });
});
