/** Addresses, ports, hardware addresses and certificates: given once, kept for ever, refused when there are none left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SiteName } from "../../src/model/index.ts";
import { loopbackOf, plan } from "../../src/planner/index.ts";
import { portFor } from "../../src/recipes/index.ts";
import { after, ask, BOOK, fermigrid, host, planned, service, site } from "./sites.ts";

test("hosts low, guests from .10 up, aliases from the top down, in a network from the site's name", () => {
  const { blueprint } = planned(ask(fermigrid()));
  const last = (address: string): string => address.split(".")[3]!;
  assert.equal(blueprint.network.cidr, loopbackOf(fermigrid()));
  assert.deepEqual(
    blueprint.hosts.map((one) => last(one.address)),
    ["1", "2"],
  );
  assert.deepEqual(
    blueprint.aliases.map((one) => `${one.name} ${last(one.address)}`),
    ["voms 254", "gums 253", "saz 252", "mysql 251"],
  );
  assert.deepEqual(
    blueprint.guests.map((one) => Number(last(one.address))).sort(),
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
  );
});

test("addresses are kept when services and hosts come and go", () => {
  const first = after(ask(fermigrid()));
  const [lvs, voms, ...rest] = first.site.services;
  const hosts = [host("zero"), ...first.site.hosts];
  const next = planned({
    ...first,
    site: { ...first.site, hosts, services: [service("front", { alias: 99 }), lvs!, ...rest] },
  });
  const before = first.parent!.blueprint;
  for (const part of ["guests", "aliases", "hosts"] as const) {
    const old = new Map<string, string>(before[part].map((one) => [one.name, one.address]));
    const kept = next.blueprint[part].filter((one) => old.has(one.name));
    assert.ok(kept.length >= 2 && kept.every((one) => old.get(one.name) === one.address), part);
  }
  assert.equal(next.changes.filter((one) => one.guest.startsWith("fg") && one.kind === "removed").length, voms!.copies);
});

test("no site's network is 127.0.0, and --loopback overrides it", () => {
  for (let index = 0; index < 2000; index++) {
    assert.match(
      loopbackOf({ ...fermigrid(), name: `s${index}` as SiteName }),
      /^127\.(?!0\.)(?!255\.)\d+\.\d+\.0\/24$/,
    );
  }
  const { blueprint } = planned(ask(fermigrid(), { loopback: "127.9.8.0/24" }));
  assert.equal(blueprint.network.cidr, "127.9.8.0/24");
  assert.ok(blueprint.guests.every((guest) => guest.address.startsWith("127.9.8.")));
});

test("ports below 1024 move on the embedded default and nowhere else", () => {
  assert.deepEqual([portFor("embedded", 80), portFor("embedded", 8080), portFor("real", 80)], [8080, 8080, 80]);
  const { aliases } = planned(ask(site([host("a"), host("b")], [service("wiki", { alias: 80 })]))).blueprint;
  assert.deepEqual([aliases[0]!.port, aliases[0]!.backends[0]!.port], [8080, 8080]);
});

test("five thousand guests in a /16, every hardware address once", () => {
  const hosts = Array.from({ length: 100 }, (_, index) =>
    host(`h${index}`, { prefix: `h${index}x`, memory: 2 ** 40, cpus: 128, hypervisor: "qemu:///system" }),
  );
  const services = Array.from({ length: 50 }, (_, index) => service(`s${index}`, { copies: 64 }));
  const network = { cidr: "10.20.0.0/16", mode: "bridge", bridge: "br0", ipv6: false } as const;
  const { guests } = planned(
    ask(
      site(
        hosts,
        [...services, ...services.slice(0, 29).map((one) => ({ ...one, name: `${one.name}b` as typeof one.name }))],
        { network },
      ),
    ),
  ).blueprint;
  assert.ok(guests.length > 5000);
  assert.equal(new Set(guests.map((guest) => guest.address)).size, guests.length);
  assert.equal(new Set(guests.map((guest) => guest.mac)).size, guests.length);
  assert.equal(new Set(guests.map((guest) => guest.uuid)).size, guests.length);
});

test("a network that is too small, and an address said twice, are refusals", () => {
  const network = { cidr: "127.5.5.0/29", mode: "loopback", bridge: null, ipv6: false } as const;
  const small = plan(
    ask(
      site(
        [host("a"), host("b")],
        [1, 2, 3].map((one) => service(`s${one}`)),
        { network },
      ),
    ),
    BOOK,
  );
  assert.deepEqual(small, {
    ok: false,
    refusals: ["network 127.5.5.0/29: no address left for 2 of 6 guests; it has 6"],
  });
  const fit = plan(
    ask(
      site(
        [host("a"), host("b")],
        [1, 2].map((one) => service(`s${one}`)),
        { network },
      ),
    ),
    BOOK,
  );
  assert.equal(fit.ok, true);
  const twice = plan(
    ask(site([host("a", { address: "127.5.5.1" }), host("b", { address: "127.5.5.1" })], [service("s")], { network })),
    BOOK,
  );
  assert.deepEqual(twice, { ok: false, refusals: ["host b: address 127.5.5.1 is already that of host a"] });
});

test("a certificate says who the guest is and which alias it answers for; a new alias makes a new version", () => {
  const first = after(ask(fermigrid()));
  const { blueprint } = first.parent!;
  const guest = blueprint.guests.find((one) => one.name === "fg5x2")!;
  const alias = blueprint.aliases.find((one) => one.name === "gums")!;
  assert.deepEqual(
    blueprint.secrets.find((one) => one.name === "tls-fg5x2"),
    {
      name: "tls-fg5x2",
      version: 1,
      kind: "tls",
      subject: { commonName: "fg5x2", dns: ["fg5x2", "gums"], ip: [guest.address, alias.address] },
    },
  );
  const services = first.site.services.map((one) =>
    one.name === "gums" ? { ...one, alias: { ...one.alias!, name: "mapping" as never } } : one,
  );
  const next = planned({ ...first, site: { ...first.site, services } }).blueprint;
  assert.deepEqual(next.guests.find((one) => one.name === "fg5x2")!.secrets, ["tls-fg5x2@2"]);
  assert.deepEqual(next.guests.find((one) => one.name === "fg5x3")!.secrets, ["tls-fg5x3@1"]);
});

test("every guest's hosts file names everybody", () => {
  const { guests, aliases } = planned(ask(fermigrid())).blueprint;
  for (const guest of guests) {
    const { content } = guest.files.find((file) => file.path === "etc/hosts")!;
    for (const one of [...guests, ...aliases]) assert.ok(content.includes(`${one.address} ${one.name}\n`));
  }
});
