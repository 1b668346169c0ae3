/**
 * A real `gums.config` becomes a policy, and everything in it that cannot is said, with its line and what follows from it. Access is never
 * widened in silence: a group that cannot be carried is empty, a mapper that cannot gives nothing, a host pattern that cannot is left out.
 * Only a ban that cannot be carried opens a door, and is said first and loudest.
 */
import { nameOrNull, parseFqan } from "../../../grid/index.ts";
import { ACCOUNT_PATTERN, isLine, isName } from "../../reading.ts";
import {
  type AccountMapper,
  FQAN_MATCHES,
  type FqanMatch,
  GROUP_ACCESS,
  type GroupAccess,
  type GumsPolicy,
  type HostRule,
  type UserGroup,
} from "../model.ts";
import { Document } from "./document.ts";
import { importPattern } from "./pattern.ts";
import { IN_DATABASE } from "./schema.ts";
import { type ConfigMistake, type Position, readXml, type XmlElement } from "./xml.ts";

export interface Carried extends Position {
  readonly element: string;
  readonly name: string;
  readonly says: string;
}

export interface NotCarried extends Carried {
  /** What it means for the site. */
  readonly consequence: string;
  /** Somebody who was kept out may get in. */
  readonly loud: boolean;
}

export type ConfigImport =
  | {
      readonly policy: GumsPolicy;
      readonly carried: readonly Carried[];
      /** The loud ones first, then in the order of the file. */
      readonly notCarried: readonly NotCarried[];
      readonly mistakes?: never;
    }
  | { readonly policy?: never; readonly mistakes: readonly ConfigMistake[] };

/**
 * @param text the file
 * @returns the policy with a report of everything in the file; or its mistakes in XML or against the schema, when it has any
 */
export function importGumsConfig(text: string): ConfigImport {
  const { root, mistake } = readXml(text);
  if (mistake) return { mistakes: [mistake] };
  const document = new Document(root);
  const importer = new Importer(document);
  const policy = document.mistakes.length === 0 ? importer.policy() : null;
  if (policy === null || document.mistakes.length > 0) return { mistakes: document.mistakes };
  const inOrder = importer.notCarried.toSorted((a, b) => Number(b.loud) - Number(a.loud) || a.line - b.line);
  return { policy, carried: importer.carried.toSorted((a, b) => a.line - b.line), notCarried: inOrder };
}

const optional = (element: XmlElement, name: string): string | null => element.attributes.get(name)?.trim() || null;
const needed = (element: XmlElement, name: string): string => optional(element, name) ?? "";

class Importer {
  readonly carried: Carried[] = [];
  readonly notCarried: NotCarried[] = [];
  private readonly document: Document;
  private readonly banned: readonly string[];

  constructor(document: Document) {
    this.document = document;
    this.banned = document.references(document.root, "bannedUserGroups", "userGroups");
  }

  policy(): GumsPolicy {
    const { document } = this;
    for (const { attribute, consequence, element, loud } of document.lostAttributes)
      this.lose(element, `the attribute ${attribute} has no counterpart`, consequence, loud);
    for (const element of document.elements("persistenceFactories"))
      this.lose(element, "factories have no counterpart", document.rule(element)?.lost ?? "");
    const vomsServers = document.elements("vomsServers").flatMap((element) => {
      const url = needed(element, "baseUrl");
      if (!/^https:\/\/\S+$/.test(url)) {
        this.lose(element, `${url} is no https address`, "members are not fetched from it");
        return [];
      }
      this.carry(element, "a VOMS server");
      return [{ name: needed(element, "name"), description: this.description(element), url }];
    });
    const servers = new Set(vomsServers.map((one) => one.name));
    return {
      vomsServers,
      userGroups: document.elements("userGroups").map((element) => this.userGroup(element, servers)),
      accountMappers: document.elements("accountMappers").map((element) => this.accountMapper(element)),
      mappings: document.elements("groupToAccountMappings").map((element) => {
        this.carry(element, "a mapping");
        return {
          name: needed(element, "name"),
          description: this.description(element),
          userGroups: document.references(element, "userGroups", "userGroups"),
          accountMappers: document.references(element, "accountMappers", "accountMappers"),
          accountingVo: this.line(element, "accountingVo"),
          accountingVoSubgroup: this.line(element, "accountingVoSubgroup"),
        };
      }),
      hosts: document.elements("hostToGroupMappings").flatMap((element) => this.hostRule(element) ?? []),
      banned: this.banned,
    };
  }

  private carry(element: XmlElement, says: string): void {
    const { line, column } = element;
    this.carried.push({ line, column, element: element.name, name: this.document.nameOf(element), says });
  }

  private lose(element: XmlElement, says: string, consequence: string, loud = false): void {
    const { line, column } = element;
    const name = this.document.nameOf(element);
    this.notCarried.push({ line, column, element: element.name, name, says, consequence, loud });
  }

  private line(element: XmlElement, attribute: string): string | null {
    const value = optional(element, attribute);
    if (value === null || isLine(value, attribute === "description" ? 500 : 100)) return value;
    this.lose(element, `${attribute} is not one line of a text`, "it is left out");
    return null;
  }

  private description(element: XmlElement): string | null {
    return this.line(element, "description");
  }

  /** An empty group in the place of one that cannot be carried. */
  private emptyGroup(element: XmlElement, says: string, why: string): UserGroup {
    const name = needed(element, "name");
    const banned = this.banned.includes(name);
    this.lose(
      element,
      says,
      banned
        ? `THE BAN OF THIS GROUP IS NOT IN FORCE: nobody is in ${name} until its people are listed (${why})`
        : `the group is empty until its people are listed: ${why}`,
      banned,
    );
    return { kind: "manual", ...this.groupBase(element), members: [] };
  }

  private groupBase(element: XmlElement): Pick<UserGroup, "name" | "description" | "access"> {
    const access = optional(element, "access");
    const known = GROUP_ACCESS.find((one) => one === access);
    if (access !== null && known === undefined)
      this.lose(element, `access is "${access}"`, 'it is "read self", the narrowest');
    return {
      name: needed(element, "name"),
      description: this.description(element),
      access: (known ?? "read self") satisfies GroupAccess,
    };
  }

  private userGroup(element: XmlElement, servers: ReadonlySet<string>): UserGroup {
    const why = this.document.rule(element)?.lost;
    if (why != null) return this.emptyGroup(element, `${element.name} has no counterpart`, why);
    if (element.name === "vomsUserGroup") return this.vomsGroup(element, servers);
    const { says, consequence } = IN_DATABASE[element.name]!;
    const banned = this.banned.includes(needed(element, "name"));
    this.carry(element, "a group by hand");
    this.lose(element, says, banned ? `THE BAN OF THIS GROUP IS NOT IN FORCE: ${consequence}` : consequence, banned);
    return { kind: "manual", ...this.groupBase(element), members: [] };
  }

  private vomsGroup(element: XmlElement, servers: ReadonlySet<string>): UserGroup {
    const spelt = needed(element, "matchFQAN");
    const match: FqanMatch = spelt === "group" ? "vogroup" : (FQAN_MATCHES.find((one) => one === spelt) ?? "exact");
    const written = optional(element, "voGroup");
    const parsed = written === null ? null : nameOrNull(() => parseFqan(written));
    const role = optional(element, "role");
    const wantsGroup = match !== "role" && match !== "ignore";
    if (written !== null && (parsed === null || parsed.role !== null))
      return this.emptyGroup(element, `voGroup "${written.slice(0, 80)}" is no group of a VO`, "nobody can be in it");
    if (wantsGroup && parsed === null)
      return this.emptyGroup(element, `matchFQAN is ${match} without voGroup`, "nobody can be in it");
    if (match === "role" && role === null)
      return this.emptyGroup(element, "matchFQAN is role without role", "it would hold everybody without a role");
    if (role !== null && !/^[A-Za-z0-9_.-]{1,100}$/.test(role))
      return this.emptyGroup(element, `role "${role.slice(0, 80)}" is no role`, "nobody can be in it");
    const server = optional(element, "vomsServer");
    this.document.references(element, "vomsServer", "vomsServers");
    const banned = this.banned.includes(needed(element, "name"));
    if (match === "ignore")
      this.lose(
        element,
        "matchFQAN is ignore: the FQAN says nothing, so the list of members decides also where FQANs are believed",
        `${banned ? "THE BAN OF THIS GROUP IS NOT IN FORCE: " : ""}nobody is in the group until its members are fetched or listed`,
        banned,
      );
    if (banned && server !== null && !servers.has(server))
      this.lose(
        element,
        `the VOMS server ${server} could not be carried`,
        "ONLY BELIEVED FQANS ARE BANNED with it",
        true,
      );
    this.carry(element, `a VOMS group (${match})`);
    return {
      kind: "voms",
      ...this.groupBase(element),
      match,
      group: parsed?.group ?? null,
      role: role === "NULL" ? null : role,
      withoutFqan: needed(element, "acceptProxyWithoutFQAN") === "true",
      server: server !== null && servers.has(server) ? server : null,
      remainder: this.line(element, "remainderUrl"),
      members: [],
    };
  }

  private accountMapper(element: XmlElement): AccountMapper {
    const why = this.document.rule(element)?.lost;
    const base = {
      name: needed(element, "name"),
      description: this.description(element),
      group: this.unixGroup(element),
    };
    const nothing = (says: string, consequence: string): AccountMapper => {
      this.lose(element, says, consequence);
      return { kind: "manual", ...base, entries: [] };
    };
    if (why != null) return nothing(`${element.name} has no counterpart`, `it gives no account: ${why}`);
    if (element.name === "groupAccountMapper") {
      const account = needed(element, "accountName");
      if (!ACCOUNT_PATTERN.test(account))
        return nothing(`accountName "${account.slice(0, 80)}" is no name of an account`, "it gives no account");
      this.carry(element, `everybody is ${account}`);
      return { kind: "group", ...base, account };
    }
    const { says, consequence } = IN_DATABASE[element.name]!;
    if (element.name === "manualAccountMapper") {
      this.carry(element, "a mapper by hand");
      return nothing(says, consequence);
    }
    const pool = needed(element, "accountPool");
    const shown = pool.slice(0, 80);
    if (!isName(pool)) return nothing(`accountPool "${shown}" is no name`, "it gives no account");
    this.carry(element, `the pool ${pool}`);
    this.lose(element, says, consequence);
    return { kind: "pool", ...base, pool, accounts: [] };
  }

  private unixGroup(element: XmlElement): string | null {
    const group = optional(element, "groupName");
    if (group === null || ACCOUNT_PATTERN.test(group)) return group;
    this.lose(element, `groupName "${group.slice(0, 80)}" is no name of a Unix group`, "no group is said");
    return null;
  }

  private hostRule(element: XmlElement): HostRule | null {
    const match: string[] = [];
    const last = this.document.elements("hostToGroupMappings").at(-1);
    for (const attribute of ["cn", "dn"] as const)
      for (const written of this.document.list(element, attribute)) {
        const { patterns, says, consequence, loud } = importPattern(attribute, written);
        match.push(...patterns);
        // Where a rule follows, hosts that are left out here may be given more there.
        if (says !== null) this.lose(element, says, consequence, loud || element !== last);
      }
    const mappings = this.document.references(element, "groupToAccountMappings", "groupToAccountMappings");
    if (match.length === 0) {
      const meet = "the rule is left out: these hosts meet the next, or none";
      this.lose(element, "none of its patterns could be carried", meet, element !== last);
      return null;
    }
    this.carry(element, `a rule for ${match.join(", ")}`);
    return { match: [...new Set(match)], description: this.description(element), mappings };
  }
}
