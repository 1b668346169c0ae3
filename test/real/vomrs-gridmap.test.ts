/** Debian's nordugridmap fetches a group's members from our own VOMRS, by SOAP and by GET, with a host's certificate of an authority that is not the site's. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CA, definitions, dn, FERMILAB, VomrsWorld } from "../services/vomrs-world.ts";
import { called } from "../support/stock-clients.ts";

const NORDUGRIDMAP = "/usr/sbin/nordugridmap";
const skip = existsSync(NORDUGRIDMAP) ? false : `not installed: ${NORDUGRIDMAP}; test/real/install`;

describe("nordugridmap", { skip, timeout: 120_000 }, () => {
  let world: VomrsWorld;
  before(async () => {
    world = await VomrsWorld.open(definitions(FERMILAB));
    // It believes a server whose authority lies there under its hash.
    const { certificate } = world.stage.authority;
    const site = world.workshop.write("site.pem", certificate);
    const hash = world.workshop.run("x509", "-in", site, "-noout", "-hash").trim();
    writeFileSync(join(world.authorities, `${hash}.0`), certificate);
    for (const name of ["Alice Example", "Bob Example"])
      await world.must("add", { subject: dn(name), ca: CA, fqans: ["/fermilab/nova"] }, { as: world.operator });
    await world.must("add", { subject: dn("Carol Example"), ca: CA }, { as: world.operator });
  });
  let calls = 0;
  after(async () => {
    await world?.close();
    called("nordugridmap", calls);
  });

  it("makes a grid-mapfile of who is in a group now", async () => {
    const host = world.person("gk1.example.org", ["subjectAltName=DNS:gk1.example.org"]);
    const mapped = (method: string, group: string): readonly string[] => {
      const mapfile = world.workshop.path(`mapfile-${method}`);
      const settings = {
        x509_host_key: world.workshop.write("map.key", host.key),
        x509_host_cert: world.workshop.write("map.cert", host.cert),
        x509_cert_dir: world.authorities,
        voms_method: method,
        cache_enable: "no",
        log_to_file: "no",
        loglevel: "5",
        gridmap: mapfile,
        allow_empty_unixid: "yes",
      };
      const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
      const source = `vomss://${world.copies[0]!.address}:8443/voms/fermilab?${group}`;
      const file = world.workshop.write(
        "arc.conf",
        `[nordugridmap]\n${lines.join("")}[userlist:nova]\nsource=${source}\noutfile=${mapfile}\n`,
      );
      calls++;
      const { stderr } = spawnSync(NORDUGRIDMAP, ["-c", file], { encoding: "utf8", timeout: 60_000 });
      assert.ok(existsSync(mapfile), stderr);
      return [...readFileSync(mapfile, "utf8").matchAll(/^"([^"]*)"/gm)].map(([, name]) => name!).sort();
    };
    for (const method of ["soap", "get"]) {
      assert.deepEqual(mapped(method, "/fermilab/nova"), [dn("Alice Example"), dn("Bob Example")], method);
      assert.deepEqual(
        mapped(method, "/fermilab"),
        [dn("Alice Example"), dn("Bob Example"), dn("Carol Example")],
        method,
      );
    }
    await world.must("suspend", { person: dn("Bob Example"), reason: "key lost" }, { as: world.operator });
    assert.deepEqual(mapped("soap", "/fermilab/nova"), [dn("Alice Example")]);
  });
});
