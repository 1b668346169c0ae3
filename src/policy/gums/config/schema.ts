/**
 * The schema of `gums.config` as tables: sections in their order, elements with their attributes, and what becomes of each attribute here.
 * Source: `gums-core/src/main/config/gums.config.schema` of opensciencegrid/gums.
 */

/** An attribute is needed or not, and carried over or lost with a consequence. */
export interface AttributeRule {
  readonly needed: boolean;
  /** `null`: carried over. Else what its loss means. */
  readonly lost: string | null;
  /** Its loss may let somebody in. */
  readonly loud?: true;
}

export interface ElementRule {
  readonly attributes: Readonly<Record<string, AttributeRule>>;
  /** `null`: the element is carried over. Else why not. */
  readonly lost: string | null;
}

export interface SectionRule {
  readonly name: string;
  readonly needed: boolean;
  readonly elements: Readonly<Record<string, ElementRule>>;
}

const need: AttributeRule = { needed: true, lost: null };
const may: AttributeRule = { needed: false, lost: null };
const lost = (consequence: string): AttributeRule => ({ needed: false, lost: consequence });
/** Which factory keeps the records: here there is one database, so that the name alone is lost and nothing with it. */
const factory = need;

const TLS = lost("the house's own certificate and authorities are used");
const SSL = { sslCertfile: TLS, sslKey: TLS, sslCAFiles: TLS, sslKeyPasswd: TLS };
const DIRECTORY = "directories are not asked";

/** Of elements that are lost whole, attributes are checked only for being there. */
const whole = (why: string, ...needed: readonly string[]): ElementRule => ({
  lost: why,
  attributes: Object.fromEntries(["name", ...needed].map((name) => [name, need])),
});

export const SECTIONS: readonly SectionRule[] = [
  {
    name: "persistenceFactories",
    needed: true,
    elements: {
      hibernatePersistenceFactory: whole(
        "records are in the database that the service needs (`needs:` in the site file)",
      ),
      ldapPersistenceFactory: whole("records are in the database that the service needs, not in a directory"),
      localPersistenceFactory: whole("records are in the database that the service needs"),
    },
  },
  {
    name: "vomsServers",
    needed: false,
    elements: {
      vomsServer: {
        lost: null,
        attributes: { name: need, description: may, baseUrl: need, persistenceFactory: factory, ...SSL },
      },
    },
  },
  {
    name: "userGroups",
    needed: true,
    elements: {
      manualUserGroup: {
        lost: null,
        attributes: {
          name: need,
          description: may,
          access: may,
          persistenceFactory: factory,
          membersUri: lost("members are not fetched from this address: list them or add them by hand"),
          nonMembersUri: {
            ...lost("this list of people who are not members is not fetched: whoever is in it is not kept out"),
            loud: true,
          },
        },
      },
      vomsUserGroup: {
        lost: null,
        attributes: {
          name: need,
          description: may,
          access: may,
          acceptProxyWithoutFQAN: need,
          matchFQAN: need,
          vomsServer: may,
          remainderUrl: may,
          voGroup: may,
          role: may,
        },
      },
      bannedUserGroup: whole("banned people are not fetched from an Argus PAP", "endpoint", "persistenceFactory"),
      ldapUserGroup: whole(`members are not fetched: ${DIRECTORY}`, "persistenceFactory"),
    },
  },
  {
    name: "accountMappers",
    needed: false,
    elements: {
      groupAccountMapper: {
        lost: null,
        attributes: { name: need, description: may, accountName: need, groupName: may },
      },
      manualAccountMapper: {
        lost: null,
        attributes: {
          name: need,
          description: may,
          persistenceFactory: factory,
          groupName: may,
          accountPool: lost("people's own accounts are not of a pool here"),
        },
      },
      accountPoolMapper: {
        lost: null,
        attributes: {
          name: need,
          description: may,
          persistenceFactory: factory,
          accountPool: need,
          groupName: may,
          recyclable: lost("an account of a pool is never given to somebody else"),
          expiration: lost("who has an account of a pool keeps it"),
        },
      },
      gecosNisAccountMapper: whole("accounts are not looked up in NIS", "jndiNisUrl"),
      gecosLdapAccountMapper: whole(`accounts are not looked up: ${DIRECTORY}`, "jndiLdapUrl"),
      ldapAccountMapper: whole(`accounts are not looked up: ${DIRECTORY}`, "jndiLdapUrl"),
    },
  },
  {
    name: "groupToAccountMappings",
    needed: false,
    elements: {
      groupToAccountMapping: {
        lost: null,
        attributes: {
          name: need,
          description: may,
          userGroups: need,
          accountMappers: need,
          accountingVo: may,
          accountingVoSubgroup: may,
        },
      },
    },
  },
  {
    name: "hostToGroupMappings",
    needed: false,
    elements: {
      hostToGroupMapping: {
        lost: null,
        attributes: { cn: may, dn: may, description: may, groupToAccountMappings: may },
      },
    },
  },
];

/** Groups and mappers whose members are only in the database, which this file is not. */
export const IN_DATABASE: Readonly<Record<string, { readonly says: string; readonly consequence: string }>> = {
  manualUserGroup: {
    says: "its members are in the old database, not in this file",
    consequence: "the group is empty until they are listed or added",
  },
  manualAccountMapper: {
    says: "its people and their accounts are in the old database, not in this file",
    consequence: "it gives no account until they are listed or added",
  },
  accountPoolMapper: {
    says: "the pool's accounts, and who has which, are in the old database, not in this file",
    consequence: "it gives no account until accounts are named; name none that somebody still has from the old service",
  },
};
