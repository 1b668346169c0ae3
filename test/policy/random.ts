/** Random policies, states and questions from a small world, so that rules overlap, meet their edges and contradict each other. */
import type {
  AccountMapper,
  Decide,
  GumsPolicy,
  GumsState,
  MappingQuestion,
  Member,
  UserGroup,
} from "../../src/policy/index.ts";
import { FQAN_MATCHES } from "../../src/policy/index.ts";
import { referenceMapping } from "./reference.ts";

/** Numbers from a seed, the same everywhere (mulberry32). */
export class Chance {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }
  number(below: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }
  one<Value>(values: readonly Value[]): Value {
    return values[this.number(values.length)]!;
  }
  /** True once in so many times. */
  rarely(times: number): boolean {
    return this.number(times) === 0;
  }
  some<Value>(most: number, make: (index: number) => Value): Value[] {
    return Array.from({ length: this.number(most + 1) }, (_, index) => make(index));
  }
}

const GROUPS = ["/a", "/a/b", "/a/b/c", "/ab", "/a/bb", "/b", "/b/b"];
const ROLES = [null, "r", "s"];
const LONG = `/DC=org/DC=example/OU=Robots/CN=Robot - ${"a long name ".repeat(4)}`;
const PEOPLE = ["/CN=x", "/CN=y", "/CN=xy", `${LONG}1`, `${LONG}2`];
const PROXIES = ["/CN=x/CN=proxy", "/CN=y/CN=12345/CN=limited proxy", "/CN=x/CN=Mr Proxy"];
const ISSUERS = ["https://i.example.org", "https://i.example.org/b"];
const TOKEN_SUBJECTS = ["t", "u", "/CN=x"];
const IDENTITIES = [...PEOPLE, "/CN=x/CN=proxy", `${ISSUERS[0]} t`];
/** Equal in the first ten letters. */
const POOLS = ["longpoolname-a", "longpoolname-b", "p"];
const PATTERNS = [
  "*",
  "*.a.org",
  "n1.*.org",
  "n1.b.org",
  "N1.a.org",
  "n*.a.org",
  "n1.a*",
  "*n*1.a.*",
  "host/n1.b.org",
  "*/n1.a.org",
  "/DC=org/CN=*",
  "/dc=org/cn=host/n1.a.org",
  "/DC=*/CN=n1.a.org",
];
const HOSTS = [
  "n1.a.org",
  "N1.A.ORG",
  "n2.a.org",
  "n1.b.org",
  "n1xa.org",
  "n1.axorg",
  "x.n1.a.org",
  "/DC=org/CN=n1",
  "/DC=org/CN=n1.a.org",
  "/DC=org/CN=host/n1.b.org",
  "/DC=org/CN=HOST/n1.a.org",
  "/DC=org/CN=ldap/n1.a.org",
  "/DC=net/CN=n1.a.org",
  "/DC=org/CN=n1.b.org/OU=x",
];

const fqanOf = (chance: Chance): string => {
  const role = chance.one(ROLES);
  return chance.one(GROUPS) + (role === null ? "" : `/Role=${role}`);
};

const member = (chance: Chance): Member => ({
  subject: chance.one(IDENTITIES),
  fqan: chance.rarely(3) ? fqanOf(chance) : null,
  email: null,
});

const SCOPES = ["compute.create", "storage.read:/", "compute.read"];

function userGroup(chance: Chance, index: number, people: readonly string[]): UserGroup {
  const base = { name: `g${index}`, description: null, access: "read self" } as const;
  const kind = chance.number(10);
  if (kind < 2) return { kind: "manual", ...base, members: chance.some(3, () => member(chance)) };
  if (kind === 2 && people.length > 0) return { kind: "mapped", ...base, mapper: chance.one(people) };
  if (kind === 3)
    return {
      kind: "token",
      ...base,
      issuer: chance.one(ISSUERS),
      subject: chance.rarely(2) ? chance.one(TOKEN_SUBJECTS) : null,
      group: chance.rarely(2) ? chance.one(GROUPS) : null,
      scope: chance.rarely(10) ? chance.one(SCOPES) : null,
    };
  return {
    kind: "voms",
    ...base,
    match: chance.one(FQAN_MATCHES),
    group: chance.rarely(8) ? null : chance.one(GROUPS),
    role: chance.one(ROLES),
    withoutFqan: chance.rarely(2),
    server: null,
    remainder: null,
    members: chance.some(3, () => member(chance)),
  };
}

function accountMapper(chance: Chance, index: number): AccountMapper {
  const base = { name: `m${index}`, description: null, group: chance.one([null, `u${index}`]) };
  switch (chance.number(4)) {
    case 0:
      return { kind: "group", ...base, account: `account${index}` };
    case 1:
      return { kind: "pool", ...base, pool: chance.one(POOLS), accounts: [] };
    default: {
      const entries = chance.some(3, (at) => ({
        subject: chance.one(IDENTITIES),
        account: `own${index}${at}`,
        group: chance.one([null, `o${at}`]),
      }));
      return { kind: "manual", ...base, entries };
    }
  }
}

export function randomPolicy(chance: Chance): GumsPolicy {
  const accountMappers = Array.from({ length: 2 + chance.number(4) }, (_, index) => accountMapper(chance, index));
  const people = accountMappers.filter((one) => one.kind === "manual").map((one) => one.name);
  const userGroups = Array.from({ length: 2 + chance.number(7) }, (_, index) => userGroup(chance, index, people));
  const groupName = (): string => chance.one(userGroups).name;
  const mappings = Array.from({ length: 1 + chance.number(4) }, (_, index) => ({
    name: `g2a${index}`,
    description: null,
    userGroups: [groupName(), ...chance.some(3, groupName)],
    accountMappers: [chance.one(accountMappers).name, ...chance.some(2, () => chance.one(accountMappers).name)],
    accountingVo: null,
    accountingVoSubgroup: null,
  }));
  return {
    banned: chance.rarely(2) ? chance.some(2, groupName) : [],
    vomsServers: [],
    userGroups,
    accountMappers,
    mappings,
    hosts: Array.from({ length: 1 + chance.number(4) }, () => ({
      match: [chance.one(PATTERNS), ...chance.some(1, () => chance.one(PATTERNS))],
      description: null,
      mappings: chance.some(4, () => chance.one(mappings).name),
    })),
  };
}

export function randomState(chance: Chance): GumsState {
  const key = (...parts: readonly string[]): string => parts.join("\n");
  const memberships = new Map<string, (string | null)[]>();
  for (let index = chance.number(12); index > 0; index--)
    memberships.set(
      key(`g${chance.number(8)}`, chance.one(IDENTITIES)),
      chance.some(2, () => (chance.rarely(2) ? null : fqanOf(chance))),
    );
  const accounts = new Map<string, { account: string; group: string | null }>();
  for (let index = chance.number(5); index > 0; index--)
    accounts.set(key(`m${chance.number(6)}`, chance.one(IDENTITIES)), {
      account: `recorded${index}`,
      group: chance.one([null, `r${index}`]),
    });
  const pooled = new Map<string, string>();
  for (let index = chance.number(6); index > 0; index--)
    pooled.set(key(chance.one(POOLS), chance.one(IDENTITIES)), `pool${index}`);
  const state: GumsState = {
    memberships: (group, subject) => memberships.get(key(group, subject)) ?? [],
    account: (mapper, subject) => accounts.get(key(mapper, subject)),
    pooled: (pool, subject) => pooled.get(key(pool, subject)),
  };
  if (chance.rarely(2)) return state;
  return {
    ...state,
    groupsOf: (subject) =>
      [...memberships.keys()].flatMap((one) => (one.endsWith(`\n${subject}`) ? one.split("\n")[0]! : [])),
  };
}

export function randomQuestion(chance: Chance): MappingQuestion {
  const host = chance.one(HOSTS);
  if (chance.rarely(5))
    return {
      subject: chance.one(TOKEN_SUBJECTS),
      fqan: null,
      believed: false,
      host,
      token: {
        issuer: chance.rarely(10) ? "http://i.example.org" : chance.one(ISSUERS),
        groups: chance.some(2, () => chance.one(GROUPS)),
        scopes: chance.some(2, () => chance.one(SCOPES)),
      },
    };
  return {
    subject: chance.one(chance.rarely(4) ? PROXIES : PEOPLE),
    fqan: chance.rarely(4) ? null : fqanOf(chance),
    believed: !chance.rarely(3),
    host,
    token: null,
  };
}

export interface Case {
  readonly policy: GumsPolicy;
  readonly state: GumsState;
  readonly questions: readonly { readonly question: MappingQuestion; readonly exhausted: ReadonlySet<string> }[];
}

export function randomCase(seed: number, questions: number): Case {
  const chance = new Chance(seed);
  return {
    policy: randomPolicy(chance),
    state: randomState(chance),
    questions: Array.from({ length: questions }, () => ({
      question: randomQuestion(chance),
      exhausted: new Set(chance.some(2, () => chance.one(POOLS))),
    })),
  };
}

/** @returns the first question whose answer is not the reference's, as text; `null` when there is none */
export function difference(
  compile: (policy: GumsPolicy, state: GumsState) => Decide,
  seeds: number,
  questions: number,
): string | null {
  for (let seed = 1; seed <= seeds; seed++) {
    const { policy, state, questions: asked } = randomCase(seed, questions);
    const decide = compile(policy, state);
    for (const { question, exhausted } of asked) {
      const found = JSON.stringify(decide(question, exhausted));
      const expected = JSON.stringify(referenceMapping(policy, state, question, exhausted));
      if (found !== expected) return `seed ${seed}: ${JSON.stringify(question)}\n${found}\ninstead of\n${expected}`;
    }
  }
  return null;
}
