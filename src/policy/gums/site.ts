/** A policy as a site file spells it, in full: what an import from `gums.config` prints for people to keep. */
import type { AccountMapper, GumsPolicy, Member, UserGroup } from "./model.ts";

type Plain = Record<string, unknown>;

/** Leaves out what is silence in a site file. */
function given(fields: Plain): Plain {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

const member = ({ subject, fqan, email }: Member): unknown =>
  fqan === null && email === null ? subject : given({ subject, fqan, email });

function userGroup(group: UserGroup): Plain {
  const { name, description } = group;
  const access = group.access === "read self" ? null : group.access;
  switch (group.kind) {
    case "manual":
      return given({ name, description, access, manual: group.members.map(member) });
    case "mapped":
      return given({ name, description, access, mapped: group.mapper });
    case "token": {
      const { issuer, subject, group: within, scope } = group;
      return given({ name, description, access, token: given({ issuer, subject, group: within, scope }) });
    }
    case "voms":
      return {
        name,
        // `null` says that the group does not count: silence would not be a VOMS group.
        voms: group.group,
        ...given({
          role: group.role,
          match: group.match,
          "without-fqan": group.withoutFqan || null,
          server: group.server,
          remainder: group.remainder,
          members: group.members.length > 0 ? group.members.map(member) : null,
          description,
          access,
        }),
      };
  }
}

function accountMapper(mapper: AccountMapper): Plain {
  const { name, description, group } = mapper;
  switch (mapper.kind) {
    case "group":
      return given({ name, description, account: mapper.account, group });
    case "manual":
      return given({ name, description, people: mapper.entries.map((entry) => given({ ...entry })), group });
    case "pool":
      return given({ name, description, pool: mapper.pool, accounts: mapper.accounts, group });
  }
}

/** @returns the plain value of the `policy` setting: `readGumsPolicy` of it is the policy again */
export function policyToSite(policy: GumsPolicy): Readonly<Record<string, unknown>> {
  return {
    "voms-servers": policy.vomsServers.map(({ name, url, description }) => given({ name, url, description })),
    "user-groups": policy.userGroups.map(userGroup),
    "account-mappers": policy.accountMappers.map(accountMapper),
    mappings: policy.mappings.map((mapping) =>
      given({
        name: mapping.name,
        description: mapping.description,
        groups: mapping.userGroups,
        accounts: mapping.accountMappers,
        "accounting-vo": mapping.accountingVo,
        "accounting-vo-subgroup": mapping.accountingVoSubgroup,
      }),
    ),
    hosts: policy.hosts.map(({ match, description, mappings }) => given({ match, description, use: mappings })),
    banned: policy.banned,
  };
}
