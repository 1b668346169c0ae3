/** Who is listed in a VO, a group or a role, for software that makes files of lists: never anybody who is banned, in whatever way. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { NameRefused } from "../../src/grid/index.ts";
import { type Ban, EMPTY_STATE, gridmapUsers, readGumsPolicy } from "../../src/policy/index.ts";

const policy = readGumsPolicy({
  banned: ["out"],
  "user-groups": [
    { name: "out", manual: [{ subject: "/CN=out" }] },
    { name: "friends", manual: [{ subject: "/CN=friend" }, { subject: "/CN=out" }] },
    {
      name: "nova",
      voms: "/fermilab/nova",
      match: "vogroup",
      members: [{ subject: "/CN=a" }, { subject: "/CN=narrow", fqan: "/fermilab/nova/sub" }, { subject: "/CN=out" }],
    },
    { name: "production", voms: "/fermilab/nova", role: "Production", members: [{ subject: "/CN=p" }] },
    { name: "cms", voms: "/cms", match: "vo", members: [{ subject: "/CN=c" }] },
  ],
  "account-mappers": [{ name: "one", account: "one" }],
  mappings: [{ name: "all", groups: ["friends", "nova", "production", "cms"], accounts: ["one"] }],
  hosts: [{ match: "*", use: ["all"] }],
}).policy!;
const state = {
  ...EMPTY_STATE,
  memberships: [
    { group: "nova", subject: "/CN=recorded", fqan: null },
    { group: "nova", subject: "https://issuer.example.org robot", fqan: null },
    { group: "out", subject: "/CN=late", fqan: null },
    { group: "cms", subject: "/CN=late/CN=proxy", fqan: null },
  ],
};
const users = (container: string, bans: readonly Ban[] = []) => gridmapUsers({ policy, state, bans }, container);

it("a container is a VO, a group and all below it, a role, a group's name, or everything", () => {
  assert.deepEqual(users("/fermilab"), ["/CN=a", "/CN=narrow", "/CN=p", "/CN=recorded"]);
  assert.deepEqual(users("/fermilab/nova"), ["/CN=a", "/CN=narrow", "/CN=p", "/CN=recorded"]);
  assert.deepEqual(users("/fermilab/nova/Role=Production"), ["/CN=p"]);
  assert.deepEqual(users("/fermilab/nov"), []);
  assert.deepEqual(users("friends"), ["/CN=friend"]);
  assert.deepEqual(users("out"), [], "a banned group is no list of users");
  assert.deepEqual(users(""), ["/CN=a", "/CN=c", "/CN=friend", "/CN=narrow", "/CN=p", "/CN=recorded"]);
  assert.throws(() => users("no such group"), NameRefused);
});

it("who is banned by name, VO, group or role is in none", () => {
  assert.deepEqual(users("/cms", [{ kind: "dn", value: "/CN=c" }]), []);
  assert.deepEqual(users("/cms", [{ kind: "vo", value: "cms" }]), []);
  assert.deepEqual(users("/fermilab", [{ kind: "role", value: "/fermilab/nova/Role=Production" }]), [
    "/CN=a",
    "/CN=narrow",
    "/CN=recorded",
  ]);
  assert.deepEqual(users("/fermilab", [{ kind: "role", value: "/fermilab" }]), []);
  assert.deepEqual(users("/fermilab", [{ kind: "vo", value: "ferm" }]).length, 4);
});
