import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseConfig } from "../../services/director/config.ts";
import type { BlueprintAlias, Probe } from "../../src/model/index.ts";
import { lvs, type RecipeContext, realServerFiles } from "../../src/recipes/index.ts";

const https: Probe = { kind: "https", port: 8443, path: "/health", status: 200, contains: null };
const backends = (port: number, check: Probe, ...guests: readonly string[]) =>
  guests.map((guest, index) => ({ guest, address: `10.20.0.${20 + index}`, port, check }));
const alias = (name: string, rest: Partial<Record<keyof BlueprintAlias, unknown>>) => ({
  name,
  service: name,
  scheduler: "least-connections",
  persistence: 0,
  connections: 10_000,
  connectionsPerCopy: 5000,
  distribution: "all",
  proxyProtocol: false,
  ...rest,
});
const ALIASES = [
  alias("gums", { address: "10.20.0.101", port: 8443, backends: backends(8443, https, "fg5x2", "fg6x2") }),
  alias("wiki", {
    address: "10.20.0.102",
    port: 80,
    scheduler: "round-robin",
    persistence: 300,
    backends: backends(80, { kind: "http", port: 80, path: "/", status: 200, contains: "Our 'wiki'" }, "fg5x3"),
  }),
  alias("plain", {
    address: "10.20.0.103",
    port: 8080,
    backends: backends(8080, { kind: "http", port: 8080, path: "/up", status: 204, contains: null }, "fg5x5"),
  }),
  alias("mysql", {
    address: "10.20.0.104",
    port: 3306,
    distribution: "one-writer",
    backends: backends(3306, { kind: "tcp", port: 3306 }, "fg5x4", "fg6x4"),
  }),
] as unknown as readonly BlueprintAlias[];

function contextOf(target: RecipeContext["target"], copy: 0 | 1): RecipeContext {
  const seats = (["fg5x0", "fg6x0"] as const).map((name, index) => ({
    name,
    service: "lvs",
    host: index === 0 ? "fermigrid5" : "fermigrid6",
    address: `10.20.0.${10 + index}`,
    copy: index,
  }));
  return {
    site: { name: "fermigrid-ha" },
    service: { name: "lvs", settings: {} },
    seat: seats[copy],
    copies: seats,
    seats,
    aliases: ALIASES,
    target,
    database: "mariadb",
  } as unknown as RecipeContext;
}

/** Compares with the reviewed text; `UPDATE_GOLDEN=1` writes it anew. */
function golden(name: string, text: string): void {
  const file = join(import.meta.dirname, "golden", name);
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"));
}

const together = (files: readonly { path: string; content: string }[]) =>
  files.map(({ path, content }) => `=== ${path}\n${content}`).join("");

test("embedded: what is rendered is what the director reads, and each gets the key to the other", () => {
  for (const copy of [0, 1] as const) {
    const rendered = lvs.render(contextOf("embedded", copy));
    const config = parseConfig(rendered.files[0]!.content, "etc/director.json");
    assert.equal(config.copy, copy);
    assert.equal(config.peer?.secret, rendered.secrets[0]!.name);
    assert.equal(rendered.secrets[0]!.name, copy === 0 ? "peer-fg6x0" : "peer-fg5x0");
    assert.ok(rendered.definition.watchdog);
  }
  golden("lvs-embedded.txt", together(lvs.render(contextOf("embedded", 0)).files));
});

test("real: keepalived and its surroundings", () => {
  golden("lvs-real.txt", together(lvs.render(contextOf("real", 0)).files));
  golden("lvs-real-server.txt", together(realServerFiles(ALIASES, { name: "fg5x2" as never })));
  assert.deepEqual(realServerFiles(ALIASES, { name: "fg5x9" as never }), []);
});

test("settings are checked", () => {
  const { interface: device, router } = lvs.settings;
  assert.deepEqual(
    ["eth0", "ens1f0.20", "eth0; rm", 7].map((value) => device!.accepts(value)),
    [true, true, false, false],
  );
  assert.deepEqual(
    [1, 255, 0, 256, "51"].map((value) => router!.accepts(value)),
    [true, true, false, false, false],
  );
});

const keepalived = ["/usr/sbin/keepalived", "/usr/local/sbin/keepalived"].find((path) => existsSync(path));

test("keepalived takes what is rendered", { skip: keepalived ? false : "keepalived is not installed here" }, () => {
  const directory = mkdtempSync(join(tmpdir(), "ka-"));
  const device = existsSync("/sys/class/net/eth0") ? "eth0" : "lo";
  for (const copy of [0, 1] as const) {
    const context = contextOf("real", copy);
    const service = { ...context.service, settings: { interface: device } };
    const conf = lvs.render({ ...context, service }).files[0]!.content;
    writeFileSync(join(directory, "keepalived.conf"), conf);
    const said = spawnSync(keepalived!, ["--config-test", "--use-file", join(directory, "keepalived.conf")], {
      encoding: "utf8",
    });
    assert.equal(said.status, 0, `${said.stdout}${said.stderr}`);
  }
});

test("the check script tells answers apart", {
  skip: existsSync("/usr/bin/curl") ? false : "curl is not installed",
}, () => {
  const script = lvs.render(contextOf("real", 0)).files[1]!.content;
  const directory = mkdtempSync(join(tmpdir(), "ka-"));
  const fake = join(directory, "curl");
  const outcome = (answer: string, status: string, text: string) => {
    writeFileSync(fake, `#!/bin/sh\nprintf '%s' '${answer}'\n`, { mode: 0o755 });
    writeFileSync(join(directory, "text"), text);
    const file = text === "" ? [] : [join(directory, "text")];
    const words = ["-c", script, "check", "g", "10.0.0.1", "80", "http://g:80/", status, ...file];
    return spawnSync("/bin/sh", words, { env: { PATH: `${directory}:${process.env.PATH}` } }).status;
  };
  assert.equal(outcome("Our wiki\n200", "200", "wiki"), 0);
  assert.equal(outcome("Our wiki\n200", "200", ""), 0);
  assert.equal(outcome("Our wiki\n503", "200", "wiki"), 1);
  assert.equal(outcome("Their pages\n200", "200", "wiki"), 1);
});
