/**
 * Files of GUMS's own: `grid-mapfile`, and the list of accounts with their VOs that accounting reads.
 * Source: `generateGridMapfile` and `generateOsgUserVoMap` of opensciencegrid/gums; a `UserVOMap` of Gratia.
 */
import { compileHosts } from "../gums/host.ts";
import type { AccountMapper, GroupToAccount } from "../gums/model.ts";
import { accountsOf } from "../gums/pools.ts";
import { entriesFor, type FileRequest, type LeftOut, lines, type WrittenFile } from "./entries.ts";
import { byText, inComment, isAccount, isWord, plainDn } from "./names.ts";

const hash = ({ name, says }: LeftOut): string => `# left out: ${inComment(name)}: ${inComment(says)}`;

/**
 * `grid-mapfile`: `"DN" account`, under a heading for each group. Who reads it sees no FQAN, so that it has exactly the people who get an
 * account when they show none, and only those whose account is known: the original gave every member of a pool's group one.
 */
export function gridMapfile(request: FileRequest): WrittenFile {
  const { entries, leftOut } = entriesFor(request);
  const written: string[] = [];
  let heading = "";
  for (const entry of entries) {
    if (entry.kind !== "person") continue;
    if (!plainDn(entry.subject)) {
      leftOut.push({ name: entry.subject, says: "this file cannot say the name", loud: false });
      continue;
    }
    const vo = inComment(entry.mapping.accountingVo ?? entry.userGroup);
    if (vo !== heading) written.push(`#---- members of vo: ${vo} ----#`);
    heading = vo;
    written.push(`"${entry.subject}" ${entry.account}`);
  }
  // What cannot be said of groups is no fault of a list of people.
  const people = leftOut.filter((one) => one.name.startsWith("/"));
  return lines(written, people, hash);
}

function accountNames(mapping: GroupToAccount, request: FileRequest): readonly string[] {
  const own = (mapper: AccountMapper): readonly string[] => {
    switch (mapper.kind) {
      case "group":
        return [mapper.account];
      case "pool":
        return [
          ...accountsOf(mapper),
          ...request.state.pooled.filter((one) => one.pool === mapper.pool).map((one) => one.account),
        ];
      case "manual":
        return [
          ...mapper.entries.map((one) => one.account),
          ...request.state.accounts.filter((one) => one.mapper === mapper.name).map((one) => one.account),
        ];
    }
  };
  return request.policy.accountMappers.flatMap((one) => (mapping.accountMappers.includes(one.name) ? own(one) : []));
}

/** `osg-user-vo-map`: `account vo`, an account once, with the VO of the first mapping that has it; a mapping without `accounting-vo` has none. */
export function osgUserVoMap(request: FileRequest): WrittenFile {
  const leftOut: LeftOut[] = [];
  const seen = new Set<string>();
  const vos: string[] = [];
  const sections: string[] = [];
  const used = new Set(mappingsFor(request));
  for (const mapping of request.policy.mappings) {
    if (!used.has(mapping.name) || mapping.accountingVo === null) continue;
    const vo = mapping.accountingVo;
    if (!isWord(vo)) {
      leftOut.push({ name: mapping.name, says: `"${vo}" is no VO's name in this file`, loud: false });
      continue;
    }
    const fresh = [...new Set(accountNames(mapping, request))].filter((one) => isAccount(one) && !seen.has(one));
    if (!vos.includes(vo)) vos.push(vo);
    sections.push(`#---- accounts for vo: ${vo} ----#`);
    for (const account of fresh.sort(byText)) {
      seen.add(account);
      sections.push(`${account} ${vo.toLowerCase()}`);
    }
  }
  const head = [
    "#User-VO map",
    "# Each line: account VO. The next two lines name the VOs in the same order, in small letters and as they are written.",
    `#voi ${vos.map((one) => one.toLowerCase()).join(" ")}`,
    `#VOc ${vos.join(" ")}`,
  ];
  return lines([...head, ...sections], leftOut, hash);
}

function mappingsFor({ policy, host }: FileRequest): readonly string[] {
  return policy.hosts[compileHosts(policy.hosts)(host)]?.mappings ?? [];
}
