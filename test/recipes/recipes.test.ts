/** Recipes: what each puts into a guest as golden text, which settings are refused, and that rendering is pure and complete. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { OwnService, Service } from "../../src/model/index.ts";
import type { GumsPolicy } from "../../src/policy/index.ts";
import {
  accountStatements,
  CREDENTIALS_DEFAULT,
  type DatabaseConfig,
  RECIPES,
  type Rendered,
  readStale,
  type SazConfig,
  type StaticSiteConfig,
} from "../../src/recipes/index.ts";
import { bundleNames } from "../services/stage.ts";
import { contextFor, fermigrid, service } from "./context.ts";

/** Named apart, because an object with a member `then` looks like a promise to the linter. */
const THEN = "then";

/** Compares with the text under `golden/`; `DOMUS_GOLDEN=write` writes it, and the difference is for the reviewer. */
function golden(name: string, text: string): void {
  const path = join(import.meta.dirname, "golden", name);
  if (process.env.DOMUS_GOLDEN === "write" || !existsSync(path)) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, "utf8"));
}

function render(name: string, copy = 0, services = fermigrid(), more: Parameters<typeof contextFor>[3] = {}): Rendered {
  const context = contextFor(name, copy, services, more);
  return RECIPES.get(context.service.recipe)!.render(context);
}

function file(rendered: Rendered, path: string): string {
  const found = rendered.files.find((one) => one.path === path);
  assert.ok(found, `${path} is not among ${rendered.files.map((one) => one.path).join(", ")}`);
  return found.content;
}

function asText(rendered: Rendered): string {
  return `${JSON.stringify(rendered.definition, null, 2)}\n${rendered.files.map(({ path, content }) => `--- ${path}\n${content}`).join("")}`;
}

const policy = {
  hosts: [{ match: "*", use: ["nova"] }],
  groups: [{ name: "nova", fqan: "/fermilab/nova/Role=NULL/Capability=NULL", account: "nova", group: "nova" }],
  manual: [{ subject: "CN=Alice Example, OU=People, DC=fermigrid, DC=org", account: "alice" }],
};

test("the documents' services, embedded", () => {
  const services = fermigrid({
    gums: { settings: { policy, stale: { after: "60 s", [THEN]: "go-on" } } },
    saz: { settings: { default: "deny", permit: [{ vo: "fermilab" }, { dn: "CN=Op,DC=org" }] } },
  });
  for (const name of ["voms", "gums", "saz", "mysql"])
    golden(`${name}.embedded.txt`, asText(render(name, 0, services)));
  const rendered = JSON.parse(file(render("gums", 0, services), "etc/policy.json")) as GumsPolicy;
  const [people, nova] = rendered.accountMappers;
  assert.deepEqual(people?.kind === "manual" && people.entries, [
    { subject: "/DC=org/DC=fermigrid/OU=People/CN=Alice Example", account: "alice", group: "alice" },
  ]);
  assert.deepEqual([nova?.kind, nova?.name], ["group", "nova"]);
  const group = rendered.userGroups.find((one) => one.name === "nova");
  assert.deepEqual(group?.kind === "voms" && [group.match, group.group, group.role], [
    "vogroup",
    "/fermilab/nova",
    null,
  ]);
});

test("the database in real guests: both modes as text", () => {
  for (const mode of ["circular", "galera"] as const) {
    const rendered = render("mysql", 1, fermigrid({ mysql: { mode } }), { target: "real" });
    golden(`domus.${mode}.cnf`, file(rendered, "etc/mysql/conf.d/domus.cnf"));
    golden(`first-boot.${mode}.sql`, file(rendered, "etc/domus/first-boot.sql"));
    assert.doesNotMatch(asText(rendered), /IDENTIFIED|PASSWORD/i);
  }
});

test("each member of a ring has ids of its own", () => {
  const texts = [0, 1].map((copy) =>
    file(render("mysql", copy, fermigrid(), { target: "real" }), "etc/mysql/conf.d/domus.cnf"),
  );
  for (const name of ["server_id", "gtid_domain_id", "auto_increment_offset"]) {
    const values = texts.map((text) => new RegExp(`^${name} = (\\d+)$`, "m").exec(text)![1]);
    assert.deepEqual(values, ["1", "2"]);
  }
});

test("without MariaDB the last copy has the one database, the other stands by", () => {
  const bundles = [0, 1].map((copy) => render("mysql", copy, fermigrid(), { database: "sqlite" }).definition.program);
  assert.deepEqual(bundles, [
    { kind: "bundle", bundle: "standby" },
    { kind: "bundle", bundle: "sqlite-server" },
  ]);
  const config = JSON.parse(
    file(render("mysql", 0, fermigrid(), { database: "sqlite" }), "etc/database.json"),
  ) as DatabaseConfig;
  assert.equal(config.holder, "fg6x4");
  const recipe = RECIPES.get("mysql")!;
  const { copies } = contextFor("mysql", 0, fermigrid());
  assert.deepEqual(recipe.holders("sqlite", copies), copies.slice(1));
  assert.deepEqual(recipe.holders("mariadb", copies), copies);
});

test("your own service: pages, a command, and what the embedded default refuses with the reason", () => {
  const own = (some: Partial<OwnService>, more: Partial<Service> = {}): Service =>
    service("wiki", "own", {
      own: { image: null, packages: [], command: null, pages: null, files: {}, environment: {}, ...some },
      ...more,
    });
  const pages = own(
    { pages: { "/index.html": "<h1>Our wiki</h1>" } },
    {
      probe: { kind: "http", port: 80, path: "/", status: 200, contains: "Our wiki" },
    },
  );
  golden("own.pages.txt", asText(render("wiki", 0, [pages])));
  const config = JSON.parse(file(render("wiki", 0, [pages]), "etc/site.json")) as StaticSiteConfig;
  assert.equal(config.port, 8080);
  const command = own({
    command: ["serve", "--on", "{address}"],
    files: { "/etc/app.conf": "x" },
    environment: { A: "b" },
  });
  golden("own.command.txt", asText(render("wiki", 0, [command])));

  const recipe = RECIPES.get("own")!;
  const context = { target: "embedded", database: "mariadb" } as const;
  assert.equal(recipe.alias(pages, context)!.proxyProtocol, true);
  assert.equal(recipe.alias(command, context)!.proxyProtocol, false);
  assert.equal(recipe.alias(pages, { ...context, target: "real" })!.proxyProtocol, false);
  assert.equal(recipe.alias(pages, { ...context, target: "real" })!.port, 80);
  assert.equal(recipe.embeddedRefusal(pages), null);
  assert.equal(recipe.embeddedRefusal(command), null);
  assert.match(recipe.embeddedRefusal(own({ packages: ["nginx"] }))!, /it wants packages \(nginx\)/);
  assert.match(recipe.embeddedRefusal(own({ image: "debian-12", command: ["x"] }))!, /image debian-12/);
  assert.match(recipe.embeddedRefusal(own({}))!, /neither pages nor command/);
  assert.match(recipe.embeddedRefusal(service("wiki", "own"))!, /neither pages nor command/);
});

test("settings that are not what was expected are refused", () => {
  const refuse = (recipe: string, name: string, values: readonly unknown[]): void => {
    const rule = RECIPES.get(recipe)!.settings[name]!;
    assert.ok(rule.expected.length > 5);
    for (const value of values) assert.equal(rule.accepts(value), false, `${recipe}.${name}: ${JSON.stringify(value)}`);
  };
  assert.equal(RECIPES.get("gums")!.settings.policy!.accepts(policy), true);
  assert.equal(RECIPES.get("saz")!.settings.permit!.accepts([{ role: "/a/Role=b" }, { ca: "/CN=x" }]), true);
  assert.deepEqual(readStale({ after: "2 min", [THEN]: "go-on" }), { after: 120, decides: "go-on" });
  refuse("gums", "policy", [
    7,
    [],
    { rules: [] },
    { hosts: [{ match: "*", use: ["unknown"] }] },
    { groups: [{ name: "a", fqan: "nova", account: "a" }] },
    { groups: [{ name: "a", fqan: "/a", account: "Root User" }] },
    { groups: [policy.groups[0], policy.groups[0]] },
    { manual: [{ subject: "Alice", account: "a" }] },
    { manual: {} },
  ]);
  refuse("saz", "default", ["allow", true, null]);
  refuse("saz", "permit", ["x", [{ dn: "Alice" }], [{ vo: "a", dn: "/CN=b" }], [{ host: "x" }], [{ vo: "a b" }]]);
  const issuer = "https://tokens.example.org/a";
  const { issuers, permit } = RECIPES.get("saz")!.settings;
  assert.equal(permit!.accepts([{ issuer }, { issuer, subject: "a" }, { issuer, scope: "compute.create" }]), true);
  refuse("saz", "permit", [[{ issuer: "tokens" }], [{ issuer, subject: "a b" }], [{ issuer, dn: "/CN=a" }]]);
  assert.deepEqual(issuers!.mistakes!([issuer]), []);
  assert.deepEqual(
    issuers!.mistakes!([issuer, 7, "http://a.example.org"]).map((one) => one.path),
    [[1], [2]],
  );
  assert.deepEqual(
    issuers!.mistakes!(issuer).map((one) => one.path),
    [[]],
  );
  for (const recipe of ["gums", "saz"]) {
    refuse(recipe, "gatekeepers", ["ce1", [7], ["a\nb"]]);
    refuse(recipe, "authorities", ["certificates", "/a/../b", 7, "", "/a\nb"]);
    refuse(recipe, "vomsdir", ["vomsdir", null, false]);
    refuse(recipe, "signing-policies", [true, "never"]);
    refuse(recipe, "limited-proxies", [false, "limited"]);
    refuse(recipe, "audiences", ["x", [null]]);
    refuse(recipe, "stale", [60, { after: 60 }, { after: "60" }, { [THEN]: "maybe" }, { after: "1 s", when: "x" }]);
  }
});

test("SAZ looks at tokens of the issuers that are listed and of those that a permit names", () => {
  const issuer = "https://tokens.example.org/a";
  const settings = { permit: [{ issuer, subject: "robot" }], issuers: ["https://b.example.org"], gatekeepers: ["ce*"] };
  const config = JSON.parse(file(render("saz", 0, fermigrid({ saz: { settings } })), "etc/saz.json")) as SazConfig;
  assert.deepEqual(config.issuers, ["https://b.example.org", issuer]);
  assert.deepEqual(config.gatekeepers, ["ce*"]);
});

test("whom GUMS and SAZ believe about proxies is the site file's, and the grid's directories where it is silent", () => {
  const settings = {
    authorities: "/srv/authorities",
    vomsdir: "none",
    "signing-policies": "required",
    "limited-proxies": "refuse",
  };
  for (const name of ["gums", "saz"] as const) {
    const config = (services = fermigrid()) =>
      (JSON.parse(file(render(name, 0, services), `etc/${name}.json`)) as SazConfig).credentials;
    assert.deepEqual(config(), CREDENTIALS_DEFAULT);
    assert.deepEqual(config(fermigrid({ [name]: { settings } })), {
      authorities: "/srv/authorities",
      vomsdir: null,
      refresh: 60,
      withoutPolicy: "refuse",
      limited: "refuse",
    });
    for (const [key, value] of Object.entries(settings))
      assert.equal(RECIPES.get(name)!.settings[key]!.accepts(value), true, key);
  }
});

test("names that cannot stand in SQL are a defect", () => {
  assert.throws(() => accountStatements("site", [{ guest: "x' OR 1=1", role: "saz" }]), TypeError);
  assert.throws(() => accountStatements("o'site", [{ guest: "x", role: "saz" }]), TypeError);
});

test("every recipe: renders the same twice, names bundles that exist, has an alias for the port it says", () => {
  const bundles = new Set(bundleNames());
  for (const [name, recipe] of RECIPES) {
    assert.equal(recipe.name, name);
    const services = [...fermigrid().filter((one) => one.name !== name), service(name, name)];
    for (const target of ["embedded", "real"] as const)
      for (const database of ["mariadb", "sqlite"] as const) {
        const [one, two] = [0, 1].map(() => render(name, 0, services, { target, database }));
        assert.deepEqual(one, two);
        const { program, ports, probe } = one!.definition;
        if (program.kind === "bundle" && name !== "lvs") assert.ok(bundles.has(program.bundle), program.bundle);
        for (const { path } of one!.files) assert.ok(!path.startsWith("/") && !path.includes(".."), path);
        const shape = recipe.alias(services.at(-1)!, { target, database });
        if (program.kind === "bundle" && shape && name !== "lvs") {
          if (program.bundle !== "standby") assert.ok(Object.values(ports).includes(shape.port), name);
          if (probe.kind !== "running") assert.ok(Object.values(ports).includes(probe.port), name);
        }
      }
    for (const sample of recipe.samples) assert.ok(sample.path.startsWith("/"));
  }
});

test("what is planned only says so", () => {
  for (const name of ["myproxy", "gateway", "condor", "squid", "ldap", "ce", "generic"]) {
    const recipe = RECIPES.get(name)!;
    assert.match(recipe.embeddedRefusal(service("x", name))!, /planned only for now/);
  }
});
