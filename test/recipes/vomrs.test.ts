/** What VOMRS gets beside VOMS in the same guests: its file, the key that every copy signs with, its own alias's port. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AliasName, Service } from "../../src/model/index.ts";
import { RECIPES, type VomrsConfig } from "../../src/recipes/index.ts";
import { contextFor, fermigrid } from "./context.ts";

const ALSO: NonNullable<Service["also"]> = {
  name: "vomrs" as AliasName,
  port: 8443,
  address: null,
  scheduler: "least-connections",
  persistence: 0,
  connections: 1000,
  connectionsPerCopy: 1000,
};

function rendered(copy: number, more: Partial<Service>) {
  const services = fermigrid({ voms: { needs: ["mysql" as never], ...more } });
  return RECIPES.get("voms")!.render(contextFor("voms", copy, services));
}

test("where VOMRS has an alias, each guest has its file and the same key", () => {
  const settings = {
    vos: [{ name: "fermilab" }],
    mail: { server: "smtp.example.org", from: "vomrs@example.org", operators: "grid@example.org" },
    url: "https://vomrs.example.org:8443/",
  };
  const copies = [0, 1].map((copy) => rendered(copy, { also: ALSO, settings }));
  const configs = copies.map(
    ({ files }) => JSON.parse(files.find(({ path }) => path === "etc/vomrs.json")!.content) as VomrsConfig,
  );
  const [first] = configs;
  assert.deepEqual(
    [first!.port, first!.url, first!.copies, first!.key],
    [8443, "https://vomrs.example.org:8443", ["fg5x1", "fg6x1"], "vomrs-voms"],
  );
  assert.equal(first!.mail?.operators, "grid@example.org");
  assert.deepEqual({ ...configs[1], directors: [] }, { ...first, directors: [] });
  for (const { secrets, definition } of copies) {
    assert.deepEqual(
      secrets.find(({ kind }) => kind === "token"),
      { name: "vomrs-voms", version: 1, kind: "token", subject: null },
    );
    assert.equal(definition.ports.registration, 8443);
  }
  // What is in the files of a guest is no secret.
  for (const { files } of copies) for (const { content } of files) assert.doesNotMatch(content, /[0-9a-f]{64}/);
});

test("without an alias there is no VOMRS, and without a mail server its file says so", () => {
  const { files, secrets } = rendered(0, {});
  assert.ok(!files.some(({ path }) => path === "etc/vomrs.json"));
  assert.ok(!secrets.some(({ kind }) => kind === "token"));
  const { files: silent } = rendered(0, { also: ALSO });
  const config = JSON.parse(silent.find(({ path }) => path === "etc/vomrs.json")!.content) as VomrsConfig;
  assert.deepEqual([config.mail, config.url], [null, "https://vomrs:8443"]);
});
