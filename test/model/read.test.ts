/** Every kind of mistake in a site file: where it is, under which path, and in which words. Then what is read when there is none. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { largeSiteFile } from "../../bench/read.ts";
import { formatDiagnostic, readSite, type Site, type SiteText } from "../../src/model/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";
import { HOUSE } from "../support/domus.ts";

const GiB = 1024 ** 3;
const text = (lines: string, file = "site.yaml"): SiteText => ({ file, text: lines });

function mistakes(site: SiteText, hosts?: SiteText): readonly string[] {
  const reading = readSite(site, RECIPES, hosts);
  return reading.ok ? [] : reading.diagnostics.map(formatDiagnostic);
}

function read(site: string, hosts?: string): Site {
  const reading = readSite(text(site), RECIPES, hosts === undefined ? undefined : text(hosts, "hosts.yaml"));
  assert.ok(reading.ok, reading.ok ? "" : reading.diagnostics.map(formatDiagnostic).join("\n"));
  return reading.site;
}

/** Five lines; services begin in line 6. */
const HEAD = `site: test
hosts:
  - { name: north, prefix: nx, cpus: 4, memory: 8 GiB, rack: A, building: hall }
  - { name: south, prefix: sx, cpus: 4, memory: 8 GiB, rack: B, building: hall }
services:
`;
const one = (service: string) => `${HEAD}  wiki: ${service}\n`;
const many = (...services: string[]) => `${HEAD}${services.map((line) => `  ${line}\n`).join("")}`;
const LVS = "lvs: { recipe: lvs, strategy: active-standby }";

interface Case {
  readonly is: string;
  readonly site: string;
  readonly hosts?: string;
  readonly says: readonly string[];
}

const CASES: readonly Case[] = [
  {
    is: "unknown key, with the nearest right one",
    site: one("{ recipe: generic, memroy: 2 GiB }"),
    says: ['site.yaml:6:28: services.wiki.memroy: unknown key; did you mean "memory"?'],
  },
  {
    is: "unknown key at the top",
    site: `${one("{ recipe: generic }")}ruels: {}\n`,
    says: ['site.yaml:7:1: ruels: unknown key; did you mean "rules"?'],
  },
  {
    is: "unknown key that is near to nothing",
    site: one("{ recipe: generic, xyzzy: 1 }"),
    says: [
      "site.yaml:6:28: services.wiki.xyzzy: unknown key; expected one of title, recipe, strategy, mode, kind, copies, memory, cpus, disk, alias, also, needs, …",
    ],
  },
  {
    is: "a misspelt key that must be there is one mistake, not two",
    site:
      HEAD.replace("cpus: 4, memory: 8 GiB, rack: B", "cpus: 4, memmory: 8 GiB, rack: B") +
      "  wiki: { recipe: generic }\n",
    says: ['site.yaml:4:41: hosts[1].memmory: unknown key; did you mean "memory"?'],
  },
  {
    is: "missing keys",
    site: "site: test\nhosts:\n  - { name: north }\nservices: { wiki: { recipe: generic } }\n",
    says: [
      "site.yaml:3:5: hosts[0]: prefix is missing",
      "site.yaml:3:5: hosts[0]: cpus is missing",
      "site.yaml:3:5: hosts[0]: memory is missing",
    ],
  },
  {
    is: "wrong unit",
    site: one("{ recipe: generic, memory: 2 gigs }"),
    says: ['site.yaml:6:36: services.wiki.memory: expected a size like 16 GiB, found "2 gigs"'],
  },
  {
    is: "no unit",
    site: one("{ recipe: generic, memory: 2048 }"),
    says: ['site.yaml:6:36: services.wiki.memory: expected a size like 16 GiB, found "2048"'],
  },
  {
    is: "a negative size",
    site: one("{ recipe: generic, memory: -2 GiB }"),
    says: ['site.yaml:6:36: services.wiki.memory: expected a size like 16 GiB, found "-2 GiB"'],
  },
  {
    is: "a list where a size was meant",
    site: one("{ recipe: generic, memory: [2 GiB] }"),
    says: ["site.yaml:6:36: services.wiki.memory: expected a size like 16 GiB, found a list"],
  },
  {
    is: "a time without unit",
    site: many(LVS, "wiki: { recipe: squid, alias: { name: wiki, persistence: 60 } }"),
    says: ['site.yaml:7:60: services.wiki.alias.persistence: expected a time like 60 s, found "60"'],
  },
  {
    is: "a host's name twice",
    site: `${HEAD.replace("name: south", "name: north")}  wiki: { recipe: generic }\n`,
    says: ["site.yaml:4:13: hosts[1].name: north is taken by hosts[0] (north)"],
  },
  {
    is: "a host's prefix twice",
    site: `${HEAD.replace("prefix: sx", "prefix: nx")}  wiki: { recipe: generic }\n`,
    says: ["site.yaml:4:28: hosts[1].prefix: nx is taken by hosts[0] (north)"],
  },
  {
    is: "prefixes whose guests could share a name",
    site: `${HEAD.replace("prefix: sx", "prefix: nx12")}  wiki: { recipe: generic }\n`,
    says: [
      "site.yaml:4:28: hosts[1].prefix: guests of nx and nx12 could get the same name; choose prefixes that end in a letter",
    ],
  },
  {
    is: "prefixes whose guests could share a name, others between them",
    site: "site: test\nhosts:\n  - { name: a, prefix: a, cpus: 1, memory: 1 GiB }\n  - { name: b, prefix: a-b, cpus: 1, memory: 1 GiB }\n  - { name: c, prefix: a1, cpus: 1, memory: 1 GiB }\nservices: { wiki: { recipe: generic } }\n",
    says: [
      "site.yaml:5:24: hosts[2].prefix: guests of a and a1 could get the same name; choose prefixes that end in a letter",
    ],
  },
  {
    is: "a host's address twice",
    site:
      HEAD.replace("rack: A", "address: 10.0.0.2").replace("rack: B", "address: 10.0.0.2") +
      "  wiki: { recipe: generic }\n",
    says: ["site.yaml:4:65: hosts[1].address: 10.0.0.2 is taken by hosts[0] (north)"],
  },
  {
    is: "a service's name twice",
    site: many("wiki: { recipe: generic }", "blog: { recipe: generic }", "wiki: { recipe: ce }"),
    says: ["site.yaml:8:3: services.wiki: given twice, first in line 6"],
  },
  {
    is: "a YAML key twice",
    site: one("{ recipe: generic, memory: 1 GiB, memory: 2 GiB }"),
    says: ["site.yaml:6:43: services.wiki.memory: given twice, first in line 6"],
  },
  {
    is: "a reserve that takes the whole host",
    site: `${HEAD.replace("rack: B", "reserve: 8 GiB, rack: B")}  wiki: { recipe: generic }\n`,
    says: ["site.yaml:4:65: hosts[1].reserve: expected less than the host's memory (8 GiB), found 8 GiB"],
  },
  {
    is: "an address that is none",
    site: `${HEAD.replace("rack: B", "address: 10.0.0.256, rack: B")}  wiki: { recipe: generic }\n`,
    says: ['site.yaml:4:65: hosts[1].address: expected an IPv4 address like 10.20.0.7, found "10.0.0.256"'],
  },
  {
    is: "a host's address outside the network",
    site: `network: { cidr: 10.20.0.0/24 }\n${HEAD.replace("rack: B", "address: 10.20.1.7, rack: B")}  wiki: { recipe: generic }\n`,
    says: ["site.yaml:5:65: hosts[1].address: 10.20.1.7 is outside the network 10.20.0.0/24"],
  },
  {
    is: "an alias's address outside the network, or the network's own",
    site: `network: { cidr: 10.20.0.0/24 }\n${many(LVS, "wiki: { recipe: squid, alias: { name: wiki, address: 10.9.0.7 } }", "blog: { recipe: squid, alias: { name: blog, address: 10.20.0.255 } }")}`,
    says: [
      "site.yaml:8:56: services.wiki.alias.address: 10.9.0.7 is outside the network 10.20.0.0/24",
      "site.yaml:9:56: services.blog.alias.address: 10.20.0.255 is outside the network 10.20.0.0/24",
    ],
  },
  {
    is: "a network that is none",
    site: `network: { cidr: 10.20.0.1/24 }\n${one("{ recipe: generic }")}`,
    says: [
      'site.yaml:1:18: network.cidr: expected an IPv4 network like 10.20.0.0/24 (its first address), found "10.20.0.1/24"',
    ],
  },
  {
    is: "a circle of needs, with its path",
    site: many("a: { recipe: ce, needs: [b] }", "b: { recipe: ce, needs: [c] }", "c: { recipe: ce, needs: [a] }"),
    says: ["site.yaml:8:28: services.c.needs[0]: a circle: a needs b needs c needs a"],
  },
  {
    is: "two circles that share a service",
    site: many("a: { recipe: ce, needs: [b] }", "b: { recipe: ce, needs: [a, c] }", "c: { recipe: ce, needs: [b] }"),
    says: [
      "site.yaml:7:28: services.b.needs[0]: a circle: a needs b needs a",
      "site.yaml:8:28: services.c.needs[0]: a circle: b needs c needs b",
    ],
  },
  {
    is: "a service that needs itself",
    site: many("a: { recipe: ce, needs: [a] }"),
    says: ["site.yaml:6:28: services.a.needs[0]: a circle: a needs a"],
  },
  {
    is: "copies that no host is left for",
    site: one("{ recipe: squid, copies: 3 }"),
    says: ["site.yaml:6:34: services.wiki.copies: 3 copies need 3 hosts, there are 2"],
  },
  {
    is: "copies that no rack is left for",
    site: `${HEAD.replace("rack: B", "rack: A")}  wiki: { recipe: squid, apart: rack }\n`,
    says: ["site.yaml:6:9: services.wiki: 2 copies need 2 racks, there is 1"],
  },
  {
    is: "copies that no building is left for",
    site: one("{ recipe: squid, apart: building }"),
    says: ["site.yaml:6:9: services.wiki: 2 copies need 2 buildings, there is 1"],
  },
  {
    is: "copies whose hosts say no rack",
    site: `${HEAD.replace("rack: B, ", "")}  wiki: { recipe: squid, apart: rack }\n`,
    says: ["site.yaml:6:33: services.wiki.apart: copies are to be racks apart, but host south has no rack"],
  },
  {
    is: "copies that no allowed host is left for",
    site: one("{ recipe: squid, hosts: [north] }"),
    says: ["site.yaml:6:9: services.wiki: 2 copies need 2 hosts, there is 1 that it may use"],
  },
  {
    is: "copies that no host is left for because it is forbidden",
    site: one("{ recipe: squid, forbid: [south] }"),
    says: ["site.yaml:6:9: services.wiki: 2 copies need 2 hosts, there is 1 that it may use"],
  },
  {
    is: "copies pinned into one rack",
    site: `${HEAD.replace(
      "services:",
      "  - { name: west, prefix: wx, cpus: 4, memory: 8 GiB, rack: A, building: hall }\nservices:",
    )}  wiki: { recipe: squid, apart: rack, hosts: [north, west, south] }\n`,
    says: ["site.yaml:7:54: services.wiki.hosts[1]: copies are to be racks apart, but north and west are in one rack"],
  },
  {
    is: "a number of copies that active-standby does not have",
    site: one("{ recipe: lvs, copies: 3 }"),
    says: ["site.yaml:6:32: services.wiki.copies: active-standby has 2 copies (one copy works, one waits), found 3"],
  },
  {
    is: "a number of copies that replicated-database does not have",
    site: one("{ recipe: mysql, copies: 1 }"),
    says: [
      "site.yaml:6:34: services.wiki.copies: replicated-database has 2 to 9 copies (copies replicate to each other), found 1",
    ],
  },
  {
    is: "a number of copies that mirrored does not have",
    site: one("{ recipe: ldap, strategy: mirrored, copies: 1 }"),
    says: [
      "site.yaml:6:53: services.wiki.copies: mirrored has 2 copies (one active, one ready on a mirrored disk), found 1",
    ],
  },
  {
    is: "a number of copies that single does not have",
    site: one("{ recipe: ce, copies: 2 }"),
    says: ["site.yaml:6:31: services.wiki.copies: single has 1 copy (one copy, restarted elsewhere), found 2"],
  },
  {
    is: "a number of copies that active-active does not have",
    site: one("{ recipe: squid, copies: 65 }"),
    says: ["site.yaml:6:34: services.wiki.copies: active-active has 1 to 64 copies (every copy works), found 65"],
  },
  {
    is: "a number of copies that native does not have",
    site: one("{ recipe: wn, copies: 1000 }"),
    says: [
      "site.yaml:6:31: services.wiki.copies: native has 1 to 64 copies (copies look after themselves), found 1000",
    ],
  },
  {
    is: "a number of copies that spare does not have",
    site: one("{ recipe: generic, strategy: spare, copies: 40+40 }"),
    says: ["site.yaml:6:53: services.wiki.copies: spare has 1 to 64 copies (a reserved, empty place), found 80"],
  },
  {
    is: "copies that are no number",
    site: one("{ recipe: squid, copies: two }"),
    says: ['site.yaml:6:34: services.wiki.copies: expected a number of copies like 2 or 1+1, found "two"'],
  },
  {
    is: "an alias's name twice",
    site: many(LVS, "wiki: { recipe: squid, alias: { name: web } }", "blog: { recipe: squid, alias: { name: web } }"),
    says: ["site.yaml:8:41: services.blog.alias.name: the alias web is taken by wiki"],
  },
  {
    is: "an alias's address twice",
    site: many(
      LVS,
      "wiki: { recipe: squid, alias: { name: wiki, address: 10.0.0.9 } }",
      "blog: { recipe: squid, alias: { name: blog, address: 10.0.0.9 } }",
    ),
    says: [
      "site.yaml:8:56: services.blog.alias.address: the address 10.0.0.9 is taken by wiki; every alias needs an address of its own",
    ],
  },
  {
    is: "an alias with a host's address",
    site:
      HEAD.replace("rack: B", "address: 10.0.0.9, rack: B") +
      `  ${LVS}\n  wiki: { recipe: squid, alias: { name: wiki, address: 10.0.0.9 } }\n`,
    says: [
      "site.yaml:7:56: services.wiki.alias.address: the address 10.0.0.9 is taken by host south; every alias needs an address of its own",
    ],
  },
  {
    is: "an alias without a front end",
    site: one("{ recipe: squid, alias: { name: wiki } }"),
    says: [
      "site.yaml:6:33: services.wiki.alias: an alias needs a front end: add `lvs: { recipe: lvs, strategy: active-standby }` to the services",
    ],
  },
  {
    is: "an alias of a strategy that has none",
    site: many(LVS, "wiki: { recipe: generic, strategy: spare, alias: { name: wiki, port: 80 } }"),
    says: ["site.yaml:7:52: services.wiki.alias: a service with strategy spare has no alias (a reserved, empty place)"],
  },
  {
    is: "an alias without a port",
    site: many(LVS, "wiki: { recipe: generic, alias: { name: wiki } }"),
    says: ["site.yaml:7:35: services.wiki.alias: port is missing"],
  },
  {
    is: "a probe of no kind",
    site: one("{ pages: { /index.html: x }, probe: { ping: true } }"),
    says: [
      "site.yaml:6:45: services.wiki.probe: expected a probe: { http: /, port: 80 }, { https: /, port: 443 }, { tcp: 5432 } or { running: true }",
    ],
  },
  {
    is: "a probe that is a word",
    site: one("{ pages: { /index.html: x }, probe: http }"),
    says: [
      "site.yaml:6:45: services.wiki.probe: expected a probe: { http: /, port: 80 }, { https: /, port: 443 }, { tcp: 5432 } or { running: true }",
    ],
  },
  {
    is: "a probe with a bad port and a bad key",
    site: one("{ pages: { /index.html: x }, probe: { http: /, port: 70000, contain: x } }"),
    says: [
      'site.yaml:6:62: services.wiki.probe.port: expected a whole number from 1 to 65535, found "70000"',
      'site.yaml:6:69: services.wiki.probe.contain: unknown key; did you mean "contains"?',
    ],
  },
  {
    is: "a probe with a path that is none",
    site: one("{ pages: { /index.html: x }, probe: { http: index.html, port: 80 } }"),
    says: ['site.yaml:6:53: services.wiki.probe.http: expected a path like /health, found "index.html"'],
  },
  {
    is: "a service of one's own behind an alias without a probe",
    site: many(LVS, "wiki: { pages: { /index.html: x }, alias: { name: wiki } }"),
    says: [
      "site.yaml:7:9: services.wiki: a service of your own behind an alias needs a probe, e.g. { http: /, port: 80 }",
    ],
  },
  {
    is: "a service of nothing",
    site: one("{ memory: 1 GiB }"),
    says: [
      "site.yaml:6:9: services.wiki: expected a recipe, or a service of your own with command, pages, packages or image",
    ],
  },
  {
    is: "command and pages",
    site: one("{ command: [run], pages: { /index.html: x } }"),
    says: ["site.yaml:6:34: services.wiki.pages: expected command or pages, not both"],
  },
  {
    is: "an empty command",
    site: one("{ command: [] }"),
    says: ["site.yaml:6:20: services.wiki.command: expected at least 1 entry, found none"],
  },
  {
    is: "a setting that the recipe does not have",
    site: one("{ recipe: saz, settings: { defualt: permit } }"),
    says: ['site.yaml:6:36: services.wiki.settings.defualt: saz has no such setting; did you mean "default"?'],
  },
  {
    is: "a setting of a recipe that has none",
    site: one("{ recipe: generic, settings: { size: 1 } }"),
    says: ["site.yaml:6:40: services.wiki.settings.size: generic has no such setting; there is none"],
  },
  {
    is: "settings that every object has",
    site: one("{ recipe: generic, settings: { constructor: 1, toString: 2, __proto__: 3 } }"),
    says: [
      "site.yaml:6:40: services.wiki.settings.constructor: generic has no such setting; there is none",
      "site.yaml:6:56: services.wiki.settings.toString: generic has no such setting; there is none",
      "site.yaml:6:69: services.wiki.settings.__proto__: generic has no such setting; there is none",
    ],
  },
  {
    is: "a bad setting",
    site: one("{ recipe: saz, settings: { default: maybe } }"),
    says: ["site.yaml:6:45: services.wiki.settings.default: expected permit or deny"],
  },
  {
    is: "a bad policy",
    site: one("{ recipe: gums, settings: { stale: { after: 60 } } }"),
    says: [
      "site.yaml:6:44: services.wiki.settings.stale: expected { after: a duration such as 60 s, then: refuse or go-on }",
    ],
  },
  {
    is: "an unknown recipe",
    site: one("{ recipe: gumz }"),
    says: ['site.yaml:6:19: services.wiki.recipe: no recipe is called gumz; did you mean "gums"?'],
  },
  {
    is: "an unknown strategy",
    site: one("{ recipe: generic, strategy: sinlge }"),
    says: [
      'site.yaml:6:38: services.wiki.strategy: expected active-standby, active-active, replicated-database, native, mirrored, single, spare, found "sinlge"; did you mean "single"?',
    ],
  },
  {
    is: "unknown hosts",
    site: one("{ recipe: squid, hosts: [north, suoth], forbid: [nroth] }"),
    says: [
      'site.yaml:6:41: services.wiki.hosts[1]: no host is called suoth; did you mean "south"?',
      'site.yaml:6:58: services.wiki.forbid[0]: no host is called nroth; did you mean "north"?',
    ],
  },
  {
    is: "an unknown need",
    site: many("mysql: { recipe: mysql }", "wiki: { recipe: squid, needs: [mysqll] }"),
    says: ['site.yaml:7:34: services.wiki.needs[0]: no service is called mysqll; did you mean "mysql"?'],
  },
  {
    is: "names twice in a list",
    site: many(
      "mysql: { recipe: mysql }",
      "wiki: { recipe: squid, needs: [mysql, mysql], hosts: [north, south, north] }",
    ),
    says: [
      "site.yaml:7:41: services.wiki.needs[1]: mysql is named twice",
      "site.yaml:7:71: services.wiki.hosts[2]: north is named twice",
    ],
  },
  {
    is: "a host that is pinned and forbidden",
    site: one("{ recipe: ce, hosts: [north], forbid: [north, south] }"),
    says: ["site.yaml:6:48: services.wiki.forbid[0]: north is also among hosts"],
  },
  {
    is: "a slot taken twice",
    site: many("wiki: { recipe: ce, hosts: [north], slot: 1 }", "blog: { recipe: ce, hosts: [north], slot: 1 }"),
    says: ["site.yaml:7:45: services.blog.slot: number 1 on north is taken by wiki"],
  },
  {
    is: "a mode where there is none",
    site: one("{ recipe: squid, mode: galera }"),
    says: ["site.yaml:6:32: services.wiki.mode: only replicated-database has a mode, this is active-active"],
  },
  {
    is: "a bad service name",
    site: many("Wiki: { recipe: generic }"),
    says: ["site.yaml:6:3: services.Wiki: expected a name of small letters, digits and hyphens for a service"],
  },
  {
    is: "a path that leaves the guest",
    site: one("{ command: [run], files: { ../x: a, /: b, a/./b: c } }"),
    says: [
      "site.yaml:6:36: services.wiki.files.../x: not the path of a file inside the guest",
      "site.yaml:6:45: services.wiki.files./: not the path of a file inside the guest",
      "site.yaml:6:51: services.wiki.files.a/./b: not the path of a file inside the guest",
    ],
  },
  {
    is: "a file that is twice, or a folder too",
    site: one("{ command: [run], files: { /etc/x: a, etc/x: b, etc: c } }"),
    says: [
      "site.yaml:6:47: services.wiki.files.etc/x: names the same file twice",
      "site.yaml:6:57: services.wiki.files.etc: is a file here and a folder there",
    ],
  },
  {
    is: "variables that cannot be",
    site: one("{ command: [run], environment: { 1X: a, DOMUS_KEY: b } }"),
    says: [
      "site.yaml:6:42: services.wiki.environment.1X: cannot be a variable of the environment",
      "site.yaml:6:49: services.wiki.environment.DOMUS_KEY: cannot be a variable of the environment",
    ],
  },
  {
    is: "a title that would command a terminal",
    site: one('{ recipe: generic, title: "\\e[31mred" }'),
    says: ['site.yaml:6:35: services.wiki.title: expected a title in one line, found "\\u001b[31mred"'],
  },
  {
    is: "a key that would command a terminal",
    site: one('{ recipe: generic, "\\e[31m": 1 }'),
    says: [
      "site.yaml:6:28: services.wiki.�[31m: unknown key; expected one of title, recipe, strategy, mode, kind, copies, memory, cpus, disk, alias, also, needs, …",
    ],
  },
  {
    is: "a rule out of bounds",
    site: `${one("{ recipe: generic }")}rules: { cpu-ratio: 0, memory-overcommit: .inf }\n`,
    says: [
      'site.yaml:7:21: rules.cpu-ratio: expected a number from 0.1 to 64, found "0"',
      'site.yaml:7:43: rules.memory-overcommit: expected a number from 1 to 16, found ".inf"',
    ],
  },
  {
    is: "no services",
    site: `${HEAD.replace("services:\n", "services: {}\n")}`,
    says: ["site.yaml:5:11: services: expected at least one service, found none"],
  },
  {
    is: "no hosts",
    site: "site: test\nhosts: []\nservices: { wiki: { recipe: generic } }\n",
    says: ["site.yaml:2:8: hosts: expected at least 1 entry, found none"],
  },
  {
    is: "nothing at all",
    site: "",
    says: ["site.yaml:1:1: expected a mapping, found nothing"],
  },
  {
    is: "a list",
    site: "- site: test\n",
    says: ["site.yaml:1:1: expected a mapping, found a list"],
  },
  {
    is: "a bracket that is not closed",
    site: "site: test\nhosts:\n  - { name: north, prefix: nx\nservices: {}\n",
    says: ["site.yaml:4:1: expected } before this: a bracket is not closed"],
  },
  {
    is: "a colon in a text",
    site: "site: test: two\n",
    says: ['site.yaml:1:7: a second ": " in one value: put quotes around it, or mend the indentation'],
  },
  {
    is: "a quotation mark that is not closed",
    site: 'site: "test\nhosts: []\n',
    says: ["site.yaml:3:1: a text in quotes has no end"],
  },
  {
    is: "an indentation that fits nowhere",
    site: "site: test\nhosts:\n    - { name: a }\n  - { name: b }\n",
    says: ["site.yaml:4:1: the indentation fits nothing above"],
  },
  {
    is: "tabs",
    site: "site: test\nhosts:\n\t- name: north\n\t  prefix: nx\n",
    says: [
      "site.yaml:3:1: a tab cannot indent a line: use blanks",
      "site.yaml:4:1: a tab cannot indent a line: use blanks",
    ],
  },
  {
    is: "two documents",
    site: `${one("{ recipe: generic }")}---\nsite: other\n`,
    says: ["site.yaml:7:1: a second document begins here: a file has one"],
  },
  {
    is: "tags",
    site: one("{ recipe: !secret generic }"),
    says: ["site.yaml:6:19: tags (words that begin with !) mean nothing here"],
  },
  {
    is: "an anchor that does not exist",
    site: `${HEAD.replace("services:", "services: &all")}  wiki: *al\n`,
    says: ['site.yaml:6:9: no anchor is called al; did you mean "all"?'],
  },
  {
    is: "an anchor that contains itself",
    site: one("&me { recipe: gums, settings: { policy: *me } }"),
    says: ["site.yaml:6:49: the anchor me contains itself"],
  },
  {
    is: "a mistake behind an anchor is one mistake",
    site: many("a: &a { recipe: ce, memory: 1 }", "b: *a", "c: *a"),
    says: ['site.yaml:6:31: services.a.memory: expected a size like 16 GiB, found "1"'],
  },
  {
    is: "a key that is a list",
    site: one("{ recipe: generic, [a]: b }"),
    says: ["site.yaml:6:28: services.wiki: expected a plain key"],
  },
  {
    is: "names that JavaScript knows",
    site: many(
      "constructor: { recipe: ce }",
      "__proto__: { recipe: ce }",
      "tostring: { recipe: ce, constructor: 1, toString: 2, __proto__: 3 }",
    ),
    says: [
      "site.yaml:7:3: services.__proto__: expected a name of small letters, digits and hyphens for a service",
      "site.yaml:8:27: services.tostring.constructor: unknown key; expected one of title, recipe, strategy, mode, kind, copies, memory, cpus, disk, alias, also, needs, …",
      "site.yaml:8:43: services.tostring.toString: unknown key; expected one of title, recipe, strategy, mode, kind, copies, memory, cpus, disk, alias, also, needs, …",
      "site.yaml:8:56: services.tostring.__proto__: unknown key; expected one of title, recipe, strategy, mode, kind, copies, memory, cpus, disk, alias, also, needs, …",
    ],
  },
  {
    is: "several mistakes, in order, none twice, none caused by another",
    site: "site: Test\nnetwork: { cidr: 10.20.0.0/24, mdoe: nat }\nhosts:\n  - { name: north, prefix: nx, cpus: 0, memory: 8 }\n  - { name: south, prefix: sx, cpus: 4, memory: 8 GiB, reserve: 9 GiB, address: 10.21.0.4 }\nservices:\n  lvs: { recipe: lsv }\n  wiki: { strategy: sinlge, copies: 7, pages: { /index.html: x }, mode: galera, alias: { name: wiki, prot: 80 } }\n  db: { recipe: mysql, copies: many, hosts: [north], needs: [wikki] }\n  saz: { recipe: saz, settings: { default: maybe }, needs: [saz], alias: { name: saz, address: 10.21.0.4 } }\nrules: { cpu-ratio: many }\n",
    says: [
      'site.yaml:1:7: site: expected a name of small letters, digits and hyphens, found "Test"',
      'site.yaml:2:32: network.mdoe: unknown key; did you mean "mode"?',
      'site.yaml:4:38: hosts[0].cpus: expected a whole number from 1 to 4096, found "0"',
      'site.yaml:4:49: hosts[0].memory: expected a size like 16 GiB, found "8"',
      "site.yaml:5:65: hosts[1].reserve: expected less than the host's memory (8 GiB), found 9 GiB",
      "site.yaml:5:81: hosts[1].address: 10.21.0.4 is outside the network 10.20.0.0/24",
      'site.yaml:7:18: services.lvs.recipe: no recipe is called lsv; did you mean "lvs"?',
      "site.yaml:8:9: services.wiki: a service of your own behind an alias needs a probe, e.g. { http: /, port: 80 }",
      'site.yaml:8:21: services.wiki.strategy: expected active-standby, active-active, replicated-database, native, mirrored, single, spare, found "sinlge"; did you mean "single"?',
      'site.yaml:8:102: services.wiki.alias.prot: unknown key; did you mean "port"?',
      'site.yaml:9:32: services.db.copies: expected a number of copies like 2 or 1+1, found "many"',
      'site.yaml:9:62: services.db.needs[0]: no service is called wikki; did you mean "wiki"?',
      "site.yaml:10:44: services.saz.settings.default: expected permit or deny",
      "site.yaml:10:61: services.saz.needs[0]: a circle: saz needs saz",
      "site.yaml:10:96: services.saz.alias.address: 10.21.0.4 is outside the network 10.20.0.0/24",
      "site.yaml:10:96: services.saz.alias.address: the address 10.21.0.4 is taken by host south; every alias needs an address of its own",
      'site.yaml:11:21: rules.cpu-ratio: expected a number from 0.1 to 64, found "many"',
    ],
  },
  {
    is: "an unknown recipe hides nothing and causes nothing",
    site: many("lvs: { recipe: lvss, copies: 9 }", "wiki: { recipe: squid, copies: 5, alias: { name: wiki } }"),
    says: [
      'site.yaml:6:18: services.lvs.recipe: no recipe is called lvss; did you mean "lvs"?',
      "site.yaml:7:34: services.wiki.copies: 5 copies need 5 hosts, there are 2",
    ],
  },
  {
    is: "a host that cannot be read causes nothing",
    site:
      HEAD.replace("name: south", "name: So.uth") +
      "  wiki: { recipe: squid, hosts: [south, north], forbid: [east] }\n  blog: { recipe: squid, copies: 2 }\n  ce: { recipe: ce, copies: 2 }\n",
    says: [
      'site.yaml:4:13: hosts[1].name: expected a name of small letters, digits and hyphens, found "So.uth"',
      "site.yaml:8:29: services.ce.copies: single has 1 copy (one copy, restarted elsewhere), found 2",
    ],
  },
];

describe("mistakes", () => {
  for (const { is, site, hosts, says } of CASES)
    test(is, () =>
      assert.deepEqual(mistakes(text(site), hosts === undefined ? undefined : text(hosts, "hosts.yaml")), says),
    );
});

describe("--hosts FILE", () => {
  const site = `network: { cidr: 10.20.0.0/24 }\n${HEAD}  wiki: { recipe: squid, hosts: [east] }\n`;

  test("replaces the hosts, and the network when it brings one", () => {
    const hosts = `network: { cidr: 192.168.7.0/24, mode: nat }
hosts:
  - { name: east, prefix: e, hypervisor: "qemu+tls://east/system", cpus: 8, memory: 32 GiB }
  - { name: west, prefix: w, hypervisor: "qemu+tls://west/system", cpus: 8, memory: 32 GiB }
`;
    const found = read(site.replace(", hosts: [east]", ""), hosts);
    assert.deepEqual(
      found.hosts.map((host) => host.name),
      ["east", "west"],
    );
    assert.deepEqual(found.network, { cidr: "192.168.7.0/24", mode: "nat", bridge: null, ipv6: false });
    const kept = read(site.replace(", hosts: [east]", ""), hosts.slice(hosts.indexOf("\n") + 1));
    assert.equal(kept.network.cidr, "10.20.0.0/24");
  });

  test("its mistakes carry its own name, those of the site that of the site", () => {
    const hosts = `network: { cidr: 192.168.7.0/24 }
hosts:
  - { name: east, prefix: e, cpus: 8, memory: 32 GiB, reserve: 40 GiB, address: 10.20.0.4 }
  - { name: east, prefix: f, cpus: 8, memory: 32 gib }
services: {}
`;
    assert.deepEqual(mistakes(text(site), text(hosts, "other/hosts.yaml")), [
      "other/hosts.yaml:3:64: hosts[0].reserve: expected less than the host's memory (32 GiB), found 40 GiB",
      "other/hosts.yaml:3:81: hosts[0].address: 10.20.0.4 is outside the network 192.168.7.0/24",
      "other/hosts.yaml:4:13: hosts[1].name: east is taken by hosts[0] (east)",
      'other/hosts.yaml:4:47: hosts[1].memory: expected a size like 16 GiB, found "32 gib"',
      "other/hosts.yaml:5:1: services: unknown key; expected one of network, hosts",
    ]);
    const fine = "hosts:\n  - { name: west, prefix: w, cpus: 8, memory: 32 GiB }\n";
    assert.deepEqual(mistakes(text(site), text(fine, "hosts.yaml")), [
      'site.yaml:7:34: services.wiki.hosts[0]: no host is called east; did you mean "west"?',
    ]);
    assert.deepEqual(mistakes(text(site), text("hosts: [", "hosts.yaml")), [
      "hosts.yaml:1:9: expected ] before this: a bracket is not closed",
    ]);
  });
});

describe("what is read", () => {
  const sites = readdirSync(join(HOUSE, "sites")).filter((name) => /(?<!-inventory)\.yaml$/.test(name));
  for (const file of sites)
    test(`sites/${file}`, () => {
      const site = read(readFileSync(join(HOUSE, "sites", file), "utf8"));
      assert.equal(`${site.name}.yaml`, file);
      assert.ok(site.services.length > 0 && site.hosts.length > 0);
    });

  test("sizes by their units, and nothing without one but 0", () => {
    const memory = (written: string) => read(one(`{ recipe: generic, memory: ${written} }`)).services[0]!.memory;
    const table: readonly (readonly [string, number])[] = [
      ["1 GiB", GiB],
      ["1GiB", GiB],
      ["1.5 GiB", 1.5 * GiB],
      ["2 GB", 2e9],
      ["512 MiB", 512 * 1024 ** 2],
      ["512 MB", 512e6],
      ["64 KiB", 65_536],
      ["64 kB", 64_000],
      ["1 TiB", 1024 ** 4],
      ["1 TB", 1e12],
      ["9 B", 9],
      ["0", 0],
    ];
    for (const [written, bytes] of table) assert.equal(memory(written), bytes, written);
    for (const refused of [
      "1",
      "1.5",
      "1024",
      "1 gib",
      "1 G",
      "1 Gi",
      "1 KB",
      "-1 GiB",
      "1e3 MiB",
      "GiB",
      "1 GiB x",
      "true",
      ".inf",
      '""',
    ])
      assert.equal(mistakes(text(one(`{ recipe: generic, memory: ${refused} }`))).length, 1, refused);
  });

  test("times by their units", () => {
    const site = (written: string) =>
      many(LVS, `wiki: { recipe: squid, alias: { name: wiki, persistence: ${written} } }`);
    const table = {
      "60 s": 60,
      "60s": 60,
      "250 ms": 0.25,
      "5 min": 300,
      "2 h": 7200,
      "1 d": 86_400,
      "1.5 s": 1.5,
      "0": 0,
    };
    for (const [written, seconds] of Object.entries(table))
      assert.equal(read(site(written)).services[1]!.alias!.persistence, seconds, written);
    for (const refused of ["60", "1 m", "1 year", "-1 s", "s", "1:30"])
      assert.equal(mistakes(text(site(refused))).length, 1, refused);
  });

  test("copies: a number, or the documents' 1+1", () => {
    const copies = (written: string) => read(one(`{ recipe: squid, copies: ${written} }`)).services[0]!.copies;
    assert.equal(copies("1+1"), 2);
    assert.equal(copies('"1+1"'), 2);
    assert.equal(copies("2"), 2);
    assert.equal(copies("1"), 1);
    for (const refused of ["0", "1.5", "1+0", "1+1+1", "1 + 1", '"2"', "-1", "1e9"])
      assert.equal(mistakes(text(one(`{ recipe: squid, copies: ${refused} }`))).length, 1, refused);
  });

  test("numbers where text is meant are taken as they are written", () => {
    const { own, title } = read(
      one("{ title: 007, command: [run, 1.10, 0x1F], environment: { VERSION: 1.20, DEBUG: true, EMPTY: } }"),
    ).services[0]!;
    assert.equal(title, "007");
    assert.deepEqual(own?.command, ["run", "1.10", "0x1F"]);
    assert.deepEqual(own?.environment, { VERSION: "1.20", DEBUG: "true", EMPTY: "" });
  });

  test("anchors save writing; %YAML 1.1, a byte order mark and carriage returns change nothing", () => {
    const plain = many("a: &a { recipe: ce, memory: 1 GiB }", "b: *a");
    const site = read(plain);
    assert.deepEqual({ ...site.services[1], name: "a", title: "a" }, site.services[0]);
    const one11 = many("a: { recipe: ce, title: on, kind: kept }");
    assert.equal(read(`%YAML 1.1\n---\n${one11}`).services[0]!.title, "on");
    assert.deepEqual(read(`\ufeff${plain.replaceAll("\n", "\r\n")}`), site);
  });

  test("racks of one name in two buildings are two racks", () => {
    const hosts = HEAD.replace("rack: B, building: hall", "rack: A, building: yard");
    assert.equal(read(`${hosts}  wiki: { recipe: squid, apart: rack }\n`).services[0]!.copies, 2);
  });

  test("more mistakes than anybody reads end with a word that there are more", () => {
    const found = mistakes(text(many(...Array.from({ length: 300 }, (_, index) => `s${index}: { recipe: nothing }`))));
    assert.equal(found.length, 201);
    assert.match(found[200]!, /^site\.yaml:206:\d+: there are more than 200 mistakes; mend these first$/);
  });

  test("the benchmark's 5,000 guests", () => {
    const site = read(largeSiteFile(2500, 200));
    assert.equal(
      site.services.reduce((sum, service) => sum + service.copies, 0),
      5000,
    );
  });

  test("5,000 guests, and 2,500 mistakes among them, in reasonable time", () => {
    const services = (need: string) =>
      Array.from(
        { length: 2500 },
        (_, index) => `service-${index}: { recipe: squid, memory: 1 GiB, needs: [${need}${index}] }`,
      );
    const large = (need: string) =>
      many(...services(need), ...Array.from({ length: 2500 }, (_, index) => `base-${index}: { recipe: ce }`));
    const began = performance.now();
    assert.equal(read(large("base-")).services.length, 5000);
    const between = performance.now();
    assert.equal(mistakes(text(large("bsae-x"))).length, 201);
    assert.ok(between - began < 10_000 && performance.now() - between < 20_000);
  });
});
