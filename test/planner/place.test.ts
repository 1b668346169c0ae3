/** Where guests go, what they are called, and the sentences of rules that say no. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { GuestName, HostName } from "../../src/model/index.ts";
import { plan, score } from "../../src/planner/index.ts";
import { after, ask, BOOK, fermigrid, GiB, host, planned, service, site, without } from "./sites.ts";

const refusals = (input: Parameters<typeof plan>[0]): readonly string[] => {
  const result = plan(input, BOOK);
  assert.equal(result.ok, false);
  return result.ok ? [] : result.refusals;
};
const where = (input: Parameters<typeof plan>[0]): Record<string, string> =>
  Object.fromEntries(planned(input).blueprint.guests.map((guest) => [`${guest.service}/${guest.copy}`, guest.host]));

test("the documents' site comes out as in their table", () => {
  const { blueprint } = planned(ask(fermigrid()));
  assert.deepEqual(
    blueprint.guests.map((guest) => `${guest.name} ${guest.service} ${guest.copy} ${guest.host}`),
    ["lvs", "voms", "gums", "saz", "mysql"]
      .map((name, number) => `fg5x${number} ${name} 0 fermigrid5`)
      .concat(["lvs", "voms", "gums", "saz", "mysql"].map((name, number) => `fg6x${number} ${name} 1 fermigrid6`)),
  );
  assert.equal(blueprint.reasons.length, 10);
});

test("a refusal says which guest, which host, how much is missing and what is in the way", () => {
  const tight = fermigrid();
  const small = { ...tight, hosts: [tight.hosts[0]!, { ...tight.hosts[1]!, memory: 13.5 * GiB }] };
  assert.deepEqual(refusals(ask(small)), [
    "lvs copy 1: no host: fermigrid5 already has copy 0 (fg5x0); fermigrid6 lacks 512 MiB (needs 1 GiB, 512 MiB of 12.5 GiB free; in the way: fg6x3 4 GiB, fg6x1 3 GiB, fg6x2 3 GiB, fg6x0 2 GiB)",
  ]);
});

test("a site that is too large as a whole is told so first", () => {
  const one = fermigrid();
  const said = refusals(ask({ ...one, hosts: one.hosts.slice(0, 1) }));
  assert.equal(
    said[0],
    "the whole site: 10 guests need 26 GiB, the 1 hosts that may be used give 15 GiB: 11 GiB missing",
  );
});

test("copies stay apart by rack when asked, and hosts that state no rack are not apart", () => {
  const racks = [host("a", { rack: "1" }), host("b", { rack: "1" }), host("c", { rack: "2" })];
  assert.deepEqual(where(ask(site(racks, [service("web", { apart: "rack" })]))), { "web/0": "a", "web/1": "c" });
  const said = refusals(ask(site([host("a"), host("b")], [service("web", { apart: "rack" })])));
  assert.match(said[0]!, /states no rack, nor does a with copy 0 \(ax0\): nobody can say that they are apart/);
});

test("other racks are preferred even when only other hosts are asked", () => {
  const racks = [host("a", { rack: "1" }), host("b", { rack: "1" }), host("c", { rack: "2", memory: 8 * GiB })];
  assert.deepEqual(where(ask(site(racks, [service("web")]))), { "web/0": "a", "web/1": "c" });
});

test("pinned copies go where the file says, further ones to any of these hosts, and forbidden hosts get none", () => {
  const hosts = ["a", "b", "c", "d"].map((name) => host(name));
  const pins = service("web", { copies: 3, hosts: ["d", "b", "c"] as HostName[] });
  const never = service("job", { copies: 1, forbid: ["a", "b"] as HostName[] });
  const seats = where(ask(site(hosts, [pins, never])));
  assert.deepEqual(seats, { "web/0": "d", "web/1": "b", "web/2": "c", "job/0": seats["job/0"] });
  assert.match(seats["job/0"]!, /[cd]/);
});

test("spare hosts stay empty until another host is unreachable", () => {
  const hosts = [host("a"), host("b"), host("hot", { spare: true })];
  const of = site(hosts, [service("web")]);
  assert.deepEqual(where(ask(of)), { "web/0": "a", "web/1": "b" });
  const healed = planned(after(ask(of), { inventory: without("b"), cause: { by: "healing", says: "b is gone" } }));
  assert.deepEqual(
    healed.changes.map((one) => one.says),
    ["bx0 (web copy 1) moves from b to hot: b is unreachable"],
  );
});

test("an unreachable host gets no new guests, and keeps its own until somebody heals", () => {
  const of = site([host("a"), host("b"), host("c")], [service("web")]);
  assert.deepEqual(where(ask(of, { inventory: without("a") })), { "web/0": "b", "web/1": "c" });
  assert.deepEqual(planned(after(ask(of), { inventory: without("a") })).changes, []);
});

test("data that is nowhere else does not move, and a plan that would need it says so", () => {
  const of = site([host("a"), host("b")], [service("files", { copies: 1, settings: { data: "local" } })]);
  const again = after(ask(of), { inventory: without("a"), cause: { by: "healing", says: "a is gone" } });
  const { changes, warnings, blueprint } = planned(again);
  assert.deepEqual(changes, []);
  assert.equal(warnings[0], "ax0 (files copy 0) stays on the books of a, which is unreachable: its data is there");
  assert.equal(blueprint.reasons[0]!.says, "stays on a: its data is there and nowhere else");
  const gone = { ...again, site: { ...of, services: [{ ...of.services[0]!, forbid: ["a"] as HostName[] }] } };
  assert.match(
    refusals({ ...gone, inventory: ask(of).inventory })[0]!,
    /cannot stay \(a is forbidden by the file\) and cannot move: its data is on a/,
  );
});

test("a host that has become too small for data that cannot move is a refusal, not a blind eye", () => {
  const of = site(
    [host("a"), host("b")],
    [service("files", { copies: 1, memory: 8 * GiB, settings: { data: "local" } })],
  );
  const smaller = { ...of, hosts: [host("a", { memory: 4 * GiB }), host("b")] };
  assert.match(
    refusals({ ...after(ask(of)), site: smaller })[0]!,
    /a no longer has memory for all its guests\) and cannot move/,
  );
});

test("a guest that moves keeps its name, its address and its birth host; numbers are never given twice", () => {
  const of = site([host("a"), host("b"), host("c")], [service("web"), service("old", { copies: 1 })]);
  const first = after(ask(of));
  const before = first.parent!.blueprint.guests;
  const old = before.find((guest) => guest.service === "old")!;
  const moved = planned({
    ...first,
    site: site(
      [host("a"), host("b"), host("c")],
      [service("web", { forbid: ["a"] as HostName[] }), service("new", { copies: 1, hosts: [old.host] })],
    ),
  }).blueprint.guests;
  const web = moved.find((guest) => guest.service === "web" && guest.copy === 0)!;
  assert.deepEqual(
    [web.name, web.birthHost, web.host, web.address],
    ["ax0", "a", "c", before.find((one) => one.name === "ax0")!.address],
  );
  assert.notEqual(moved.find((guest) => guest.service === "new")!.name, old.name);
});

test("services that need each other in a circle are refused", () => {
  const of = site(
    [host("a"), host("b")],
    [service("x", { needs: ["y"] }), service("y", { needs: ["x"] }), service("z")],
  );
  assert.deepEqual(refusals(ask(of)), ["needs: x, y wait for each other in a circle"]);
});

test("a slot pins the number, and two services cannot have the same", () => {
  const hosts = [host("a"), host("b")];
  const { blueprint } = planned(ask(site(hosts, [service("one"), service("two", { slot: 0 })])));
  assert.deepEqual(
    blueprint.guests.map((guest) => `${guest.name} ${guest.service}`),
    ["ax0 two", "ax1 one", "bx0 two", "bx1 one"],
  );
  const said = refusals(ask(site(hosts, [service("one", { slot: 3 }), service("two", { slot: 3 })])));
  assert.equal(said[0], "two copy 0: slot 3 on a is not free: ax3 is one copy 0");
});

test("room is made for a large guest by moving a small one that may move, and the reason is said", () => {
  const hosts = [host("a", { memory: 9 * GiB }), host("b", { memory: 9 * GiB })];
  const small = [service("s1", { copies: 1, memory: 2 * GiB }), service("s2", { copies: 1, memory: 2 * GiB })];
  const first = after(ask(site(hosts, small)));
  const { changes } = planned({
    ...first,
    site: site(hosts, [...small, service("big", { copies: 1, memory: 8 * GiB })]),
  });
  assert.equal(changes.filter((one) => one.kind === "moved").length, 1);
  assert.match(changes.find((one) => one.kind === "moved")!.says, /another guest needs its room/);
});

test("balancing lowers the score and leaves a balanced site alone", () => {
  const hosts = ["a", "b", "c", "d"].map((name) => host(name));
  const of = site(
    hosts,
    Array.from({ length: 8 }, (_, index) => service(`s${index}`, { copies: 1, memory: (1 + (index % 3)) * GiB })),
  );
  const first = after(ask(of));
  const bent = {
    ...first.parent!.blueprint,
    guests: first.parent!.blueprint.guests.map((guest, index) => ({
      ...guest,
      host: (index < 4 ? "a" : "b") as HostName,
    })),
  };
  const cause = { by: "balancing", says: "crooked" } as const;
  const better = planned({ ...first, parent: { id: first.parent!.id, blueprint: bent }, cause });
  const inventory = first.inventory;
  assert.ok(score(of, inventory, better.blueprint).total < score(of, inventory, bent).total / 2);
  assert.deepEqual(
    planned({ ...first, parent: { id: first.parent!.id, blueprint: better.blueprint }, cause }).changes,
    [],
  );
  assert.deepEqual(
    planned({ ...first, parent: { id: first.parent!.id, blueprint: bent } }).changes,
    [],
    "without that cause nobody moves",
  );
});

test("what the embedded default cannot run is refused, or only said with planOnly", () => {
  const own = { image: null, packages: ["nginx"], command: null, pages: null, files: {}, environment: {} };
  const of = site([host("a"), host("b")], [service("web", { own })]);
  assert.deepEqual(refusals(ask(of)), ["web: packages need a guest with a kernel of its own"]);
  assert.deepEqual(planned(ask(of, { planOnly: true })).warnings, [
    "web: packages need a guest with a kernel of its own",
  ]);
  assert.match(
    refusals(ask(site([host("a")], [service("x", { recipe: "nosuch" })])))[0]!,
    /^x: no recipe is called nosuch; there are plain, /,
  );
});

test("a reserved place takes room, an address and no step", () => {
  const of = site(
    [host("a", { memory: 5 * GiB })],
    [
      service("hole", { strategy: "spare", recipe: "spare", copies: 1, memory: 3 * GiB }),
      service("web", { copies: 1, memory: GiB }),
    ],
  );
  const { blueprint } = planned(ask(of));
  const hole = blueprint.guests.find((guest) => guest.service === "hole")!;
  assert.deepEqual([hole.definition.program.kind, hole.secrets, hole.autostart], ["none", [], false]);
  assert.equal(
    blueprint.steps.some((step) => step.guest === ("ax0" as GuestName)),
    false,
  );
  assert.equal(
    plan(
      ask(site([host("a", { memory: 5 * GiB })], [...of.services, service("more", { copies: 1, memory: GiB })])),
      BOOK,
    ).ok,
    false,
  );
});

test("a reserved place is used on the day a host is lost, and found anew when the host is back", () => {
  const hosts = [host("a", { memory: 5 * GiB }), host("b", { memory: 5 * GiB })];
  const hole = service("hole", { strategy: "spare", recipe: "spare", copies: 1, memory: 3 * GiB });
  const of = site(hosts, [hole, service("web", { copies: 1, strategy: "single", memory: 3 * GiB })]);
  const first = after(ask(of));
  const lost = first.parent!.blueprint.guests.find((guest) => guest.service === "web")!;
  const healed = after({ ...first, inventory: without(lost.host), cause: { by: "healing", says: "lost" } });
  const { guests } = healed.parent!.blueprint;
  const kept = guests.find((guest) => guest.service === "hole")!;
  assert.deepEqual(guests.find((guest) => guest.service === "web")!.host, kept.host);
  const back = planned({ ...healed, inventory: ask(of).inventory, cause: ask(of).cause });
  assert.deepEqual(
    back.changes.map((one) => [one.guest, one.to]),
    [[kept.name, lost.host]],
  );
});

test("an embedded site with a network of another world is refused before its processes fail to bind", () => {
  const network = { cidr: "10.20.0.0/24", mode: "bridge", bridge: "br0", ipv6: false } as const;
  const of = site([host("a"), host("b")], [service("web")], { network });
  assert.match(
    refusals(ask(of))[0]!,
    /^network 10.20.0.0\/24: the embedded default has the addresses of 127.0.0.0\/8 only/,
  );
  assert.equal(planned(ask(of, { loopback: "127.1.2.0/24" })).blueprint.network.cidr, "127.1.2.0/24");
});
