/**
 * A policy as `gums.config`, for a site that goes back or compares. What that file cannot say is reported: lists of people and of accounts
 * are the original's database's, and tokens it does not know. A group that cannot be said is written as an empty one, so that names stay true.
 *
 * One difference remains in the original alone: there a `cn` does not meet a certificate named `host/…` unless the pattern itself has that slash.
 */
import type { AccountMapper, GumsPolicy, HostRule, UserGroup } from "../model.ts";

export interface NotExported {
  readonly name: string;
  readonly says: string;
}

/** Records of everything are kept by this stub; its address is the reader's to fill in. */
const FACTORY = "mysql";

type Attributes = Readonly<Record<string, string | null>>;

function escaped(text: string): string {
  return text.replace(/[&<>"'\t\n\r]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function element(name: string, attributes: Attributes): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === null ? [] : ` ${key}="${escaped(value)}"`,
  );
  return `    <${name}${written.join("")}/>\n`;
}

function section(name: string, elements: readonly string[]): string {
  return elements.length === 0 ? `  <${name}/>\n` : `  <${name}>\n${elements.join("")}  </${name}>\n`;
}

class Exporter {
  readonly notExported: NotExported[] = [];

  lose(name: string, says: string): void {
    this.notExported.push({ name, says });
  }

  userGroup(group: UserGroup, banned: boolean): string {
    const { name, description, access } = group;
    const base = { name, description, access };
    if ((group.kind === "manual" || group.kind === "voms") && group.members.length > 0)
      this.lose(name, `its ${group.members.length} members belong into the database`);
    if (group.kind === "voms")
      return element("vomsUserGroup", {
        ...base,
        vomsServer: group.server,
        remainderUrl: group.remainder,
        matchFQAN: group.match,
        acceptProxyWithoutFQAN: String(group.withoutFqan),
        voGroup: group.group,
        role: group.role,
      });
    const loud = banned ? "; ITS BAN IS LOST" : "";
    if (group.kind === "token")
      this.lose(name, `holders of tokens of ${group.issuer} cannot be said: it is empty${loud}`);
    if (group.kind === "mapped")
      this.lose(name, `those who have an account in ${group.mapper} cannot be said: it is empty${loud}`);
    return element("manualUserGroup", { ...base, persistenceFactory: FACTORY });
  }

  accountMapper(mapper: AccountMapper): string {
    const { name, description, group: groupName } = mapper;
    switch (mapper.kind) {
      case "group":
        return element("groupAccountMapper", { name, description, accountName: mapper.account, groupName });
      case "manual":
        if (mapper.entries.length > 0) this.lose(name, `its ${mapper.entries.length} people belong into the database`);
        return element("manualAccountMapper", { name, description, persistenceFactory: FACTORY, groupName });
      case "pool":
        if (mapper.accounts.length > 0) this.lose(name, "the pool's accounts belong into the database");
        return element("accountPoolMapper", {
          name,
          description,
          persistenceFactory: FACTORY,
          accountPool: mapper.pool,
          groupName,
        });
    }
  }

  /** Names and DNs are two attributes, and an element has one: a rule with both becomes two, of the same meaning. */
  hostRule(rule: HostRule): readonly string[] {
    const written = rule.match.filter((pattern) => {
      if (!pattern.includes(",")) return true;
      this.lose(pattern, "a host pattern with a comma cannot be said: it is left out");
      return false;
    });
    return (["cn", "dn"] as const).flatMap((attribute) => {
      const patterns = written.filter((pattern) => pattern.startsWith("/") === (attribute === "dn"));
      if (patterns.length === 0) return [];
      return element("hostToGroupMapping", {
        [attribute]: patterns.join(", "),
        description: rule.description,
        groupToAccountMappings: rule.mappings.join(", "),
      });
    });
  }
}

/** @returns the file, and what of the policy it could not say */
export function exportGumsConfig(policy: GumsPolicy): {
  readonly text: string;
  readonly notExported: readonly NotExported[];
} {
  const exporter = new Exporter();
  const factory = element("hibernatePersistenceFactory", {
    name: FACTORY,
    description: "fill in where the records are",
    storeConfig: "false",
  });
  const sections = [
    section("persistenceFactories", [factory]),
    section(
      "vomsServers",
      policy.vomsServers.map(({ name, description, url }) =>
        element("vomsServer", { name, description, baseUrl: url, persistenceFactory: FACTORY }),
      ),
    ),
    section(
      "userGroups",
      policy.userGroups.map((group) => exporter.userGroup(group, policy.banned.includes(group.name))),
    ),
    section(
      "accountMappers",
      policy.accountMappers.map((mapper) => exporter.accountMapper(mapper)),
    ),
    section(
      "groupToAccountMappings",
      policy.mappings.map((mapping) =>
        element("groupToAccountMapping", {
          name: mapping.name,
          description: mapping.description,
          userGroups: mapping.userGroups.join(", "),
          accountMappers: mapping.accountMappers.join(", "),
          accountingVo: mapping.accountingVo,
          accountingVoSubgroup: mapping.accountingVoSubgroup,
        }),
      ),
    ),
    section(
      "hostToGroupMappings",
      policy.hosts.flatMap((rule) => exporter.hostRule(rule)),
    ),
  ];
  const banned = policy.banned.length === 0 ? "" : ` bannedUserGroups="${escaped(policy.banned.join(", "))}"`;
  return {
    text: `<?xml version="1.0" encoding="UTF-8"?>\n<gums version="1.3"${banned}>\n${sections.join("")}</gums>\n`,
    notExported: exporter.notExported,
  };
}
