/** `domus vo …`: people of virtual organizations, as an operator decides about them through VOMRS. People themselves use its pages. */
import { type Command, Option } from "commander";
import { aliasOfRecipe, askThrough, requireAnswer } from "../calls.ts";
import { chooseSite, openState } from "../open.ts";
import { paint, say, sayJson } from "../say.ts";
import {
  tellAttributes,
  tellHistory,
  tellInstitutions,
  tellOrganizations,
  tellPeople,
  tellPerson,
  tellWaiting,
} from "./vo-tell.ts";

interface VoFlags {
  readonly ca?: string;
  readonly fqan?: readonly string[];
  readonly name?: string;
  readonly email?: string;
  readonly institution?: string;
  readonly until?: string;
  readonly state?: string;
  readonly search?: string;
  readonly unproven?: boolean;
  readonly reason?: string;
  readonly site?: string;
  readonly json?: boolean;
}

type Body = Readonly<Record<string, unknown>>;

/** One command: which of VOMRS's operations it is, with what, and how its answer is told. */
interface Operation {
  readonly name: string;
  /** The organization comes first, where there is one. */
  readonly arguments: readonly (readonly [string, string])[];
  readonly options?: readonly (readonly [string, string])[];
  readonly summary: string;
  readonly example: string;
  readonly call: string;
  readonly changes: boolean;
  readonly body?: (words: readonly string[], flags: VoFlags) => Body;
  /** For changes VOMRS's own sentence is told. */
  readonly tell?: (answer: Body) => void;
}

const DN = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
const VO = ["<vo>", "e.g. fermilab"] as const;
const PERSON = ["<person>", `an id, or the name in a certificate: "${DN}"`] as const;
const FQAN = ["<fqan>", "e.g. /fermilab/nova/Role=Production"] as const;
const CERTIFICATE = ["<certificate>", "its id, as show has it"] as const;
const WHY = ["--reason <text>", "kept with it, and told to the person"] as const;
const CA = ["--ca <dn>", "the authority of the certificate, where two have people of one name"] as const;
const UNTIL = ["--until <day>", "e.g. 2027-06-30, or never"] as const;

const ofPerson = ([, person]: readonly string[], { ca, reason, until }: VoFlags): Body => ({
  person,
  ca,
  reason,
  until,
});

/** A decision about one person. */
function decision(name: string, summary: string, options: Operation["options"] = [WHY, CA], call = name): Operation {
  return {
    name,
    summary,
    options,
    call,
    arguments: [VO, PERSON],
    example: `${name} fermilab "${DN}" --reason "as agreed"`,
    changes: true,
    body: ofPerson,
  };
}

function aboutPlace(name: string, summary: string, call = name): Operation {
  return {
    ...decision(name, summary, [WHY, CA], call),
    arguments: [VO, PERSON, FQAN],
    example: `${name} fermilab "${DN}" /fermilab/nova --reason "as agreed"`,
    body: (words, flags) => ({ ...ofPerson(words, flags), fqan: words[2] }),
  };
}

function aboutCertificate(name: string, summary: string, options: Operation["options"] = [WHY]): Operation {
  return {
    ...decision(name, summary, options),
    arguments: [VO, PERSON, CERTIFICATE],
    example: `${name} fermilab "${DN}" ID --reason "as agreed"`,
    body: (words, flags) => ({
      ...ofPerson(words, flags),
      certificate: words[2],
      ...(flags.unproven ? { unproven: true } : {}),
    }),
  };
}

export const VO_OPERATIONS: readonly Operation[] = [
  {
    name: "list",
    arguments: [],
    summary: "the site's organizations",
    example: "list",
    call: "organizations",
    changes: false,
    tell: tellOrganizations,
  },
  {
    name: "people",
    arguments: [VO],
    options: [
      ["--state <standing>", "e.g. member, applicant, suspended, expired, unsigned"],
      ["--search <words>", "in name, e-mail, institution, certificates"],
    ],
    summary: "who is in it, and how each stands",
    example: "people fermilab --state suspended",
    call: "people",
    changes: false,
    body: (_words, { state, search }) => ({ state, q: search, all: "yes" }),
    tell: tellPeople,
  },
  {
    name: "waiting",
    arguments: [VO],
    summary: "what waits for a decision",
    example: "waiting fermilab",
    call: "waiting",
    changes: false,
    tell: tellWaiting,
  },
  {
    name: "show",
    arguments: [VO, PERSON],
    options: [CA],
    summary: "one person: standing, groups and roles, certificates",
    example: `show fermilab "${DN}"`,
    call: "person",
    changes: false,
    body: ([, person], { ca }) => ({ person, ca }),
    tell: tellPerson,
  },
  {
    name: "history",
    arguments: [VO, PERSON],
    options: [CA],
    summary: "everything that was ever recorded of a person",
    example: `history fermilab "${DN}"`,
    call: "person",
    changes: false,
    body: ([, person], { ca }) => ({ person, ca }),
    tell: tellHistory,
  },
  decision("confirm", "confirm an applicant's address by hand", [WHY, CA], "confirm-address"),
  decision("approve", "approve an application", [UNTIL, WHY, CA]),
  decision("deny", "deny an application"),
  decision("renew", "renew a membership", [UNTIL, WHY, CA]),
  decision("suspend", "suspend a member: VOMS gives him nothing from now on"),
  decision("resume", "lift a suspension"),
  decision("remove", "end a membership"),
  {
    name: "add",
    arguments: [VO, ["<dn>", `e.g. "${DN}"`]],
    options: [
      ["--ca <dn>", "the authority of the certificate (needed)"],
      ["--fqan <fqan...>", "groups and roles"],
      ["--name <name>", "what people call him"],
      ["--email <address>", "where he is told what happens"],
      ["--institution <name>", "who vouches for him"],
      UNTIL,
      WHY,
    ],
    summary: "put somebody in as a member without an application",
    example: `add fermilab "${DN}" --ca "/DC=org/DC=fermigrid/CN=CA" --fqan /fermilab/nova`,
    call: "add",
    changes: true,
    body: ([, subject], { ca, fqan, name, email, institution, until, reason }) => ({
      ...{ subject, ca, name, email, institution, until, reason },
      ...(fqan === undefined ? {} : { fqans: fqan }),
    }),
  },
  aboutPlace("grant", "give a group or role"),
  aboutPlace("revoke", "take a group or role back"),
  aboutPlace("refuse", "refuse a group or role that was asked for", "refuse-place"),
  aboutCertificate("approve-certificate", "approve a further certificate", [
    WHY,
    ["--unproven", "although nobody has shown that the key is his, or that he wants it"],
  ]),
  aboutCertificate("suspend-certificate", "suspend one certificate"),
  aboutCertificate("resume-certificate", "lift the suspension of a certificate"),
  aboutCertificate("remove-certificate", "remove one certificate"),
  {
    name: "attributes",
    arguments: [VO],
    summary: "generic attributes of groups and roles; a person's are in show",
    example: "attributes fermilab",
    call: "institutions",
    changes: false,
    tell: tellAttributes,
  },
  {
    name: "set-attribute",
    arguments: [VO, ["<of>", "a person, group or role"], ["<name>", "e.g. nickname"], ["<value>", "e.g. alice"]],
    summary: "set a generic attribute",
    example: `set-attribute fermilab "${DN}" nickname alice`,
    call: "set-attribute",
    changes: true,
    body: ([, owner, name, text]) => ({ owner, name, text }),
  },
  {
    name: "remove-attribute",
    arguments: [VO, ["<of>", "a person, group or role"], ["<name>", "e.g. nickname"]],
    summary: "remove a generic attribute",
    example: `remove-attribute fermilab "${DN}" nickname`,
    call: "remove-attribute",
    changes: true,
    body: ([, owner, name]) => ({ owner, name }),
  },
  {
    name: "institutions",
    arguments: [VO],
    summary: "institutions, who speaks for them, until when they are a part",
    example: "institutions fermilab",
    call: "institutions",
    changes: false,
    tell: tellInstitutions,
  },
  {
    name: "set-institution",
    arguments: [VO, ["<institution>", "as the site file has it"], ["<until>", "e.g. 2027-06-30, or never"]],
    options: [WHY],
    summary: "record until when an institution is a part",
    example: "set-institution fermilab Karlsruhe 2027-06-30",
    call: "set-institution",
    changes: true,
    body: ([, name, until], { reason }) => ({ name, until, reason }),
  },
];

/** @returns the path with what is asked in it, or the body */
function questionOf({ call, changes, body, arguments: words }: Operation, given: readonly string[], flags: VoFlags) {
  const all: Body = { ...(words.length > 0 ? { vo: given[0] } : {}), ...body?.(given, flags) };
  const said = Object.entries(all).filter(([, value]) => value !== undefined);
  const path = `/vomrs/json/${call}`;
  if (changes) return { method: "POST", path, body: Object.fromEntries(said) } as const;
  const query = new URLSearchParams(said.map(([name, value]) => [name, String(value)]));
  return { method: "GET", path: said.length === 0 ? path : `${path}?${query}`, body: null } as const;
}

async function run(operation: Operation, words: readonly string[], flags: VoFlags): Promise<void> {
  const open = await openState(chooseSite(flags.site));
  try {
    const alias = await aliasOfRecipe(open, "voms", "also");
    const { method, path, body } = questionOf(operation, words, flags);
    const answer = requireAnswer(await askThrough(open, alias, method, path, body), (status) =>
      status === 404 ? "See domus vo list and domus vo people." : "See domus vo show.",
    );
    if (flags.json) sayJson(answer);
    else if (operation.tell) operation.tell(answer);
    else say(paint("bold", String(answer.says ?? "Done.")));
  } finally {
    await open.close();
  }
}

export function addVo(program: Command): void {
  const vo = program
    .command("vo")
    .summary("people of virtual organizations: who applies, who is a member, with which groups and roles")
    .description(
      "People of the site's virtual organizations. People apply, and representatives decide, on the pages of VOMRS; these are the same operations for operators.",
    )
    .addHelpText(
      "after",
      `\nExamples:\n  domus vo people fermilab --state applicant\n  domus vo approve fermilab "${DN}"\n  domus vo add fermilab "${DN}" --ca "/DC=org/DC=fermigrid/CN=CA" --fqan /fermilab/nova`,
    );
  for (const operation of VO_OPERATIONS) {
    const command = vo
      .command(operation.name)
      .summary(operation.summary)
      .description(`${operation.summary[0]!.toUpperCase()}${operation.summary.slice(1)}.`);
    for (const [name, says] of operation.arguments) command.argument(name, says);
    for (const [name, says] of operation.options ?? []) command.addOption(new Option(name, says));
    command
      .option("--site <name>", "which site, when several are known")
      .option("--json", "for machines")
      .addHelpText("after", `\nExample:\n  domus vo ${operation.example}`)
      .action((...given: unknown[]) => {
        const words = given
          .slice(0, operation.arguments.length)
          .filter((one): one is string => typeof one === "string");
        return run(operation, words, given[operation.arguments.length] as VoFlags);
      });
  }
}
