/**
 * GUMS and SAZ by SOAP over mutual TLS: every dialect gets what the JSON call gets, by the same rules about who is believed, with the same
 * record; what is no question gets a fault.
 */
import assert from "node:assert/strict";
import { request } from "node:https";
import { after, before, test } from "node:test";
import { OPEN_SAZ, readGumsPolicy } from "../../src/policy/index.ts";
import {
  ALICE,
  creamQuery,
  emiQuery,
  gridmapUsersCall,
  interopId,
  interopQuery,
  mapUserCall,
  PRIMARY,
  saml1Query,
  subjectQuery,
  VOMS,
} from "../grid/messages.ts";
import { type Actor, type Answered, address, type Identity, Stage, until } from "./stage.ts";

const setting = {
  banned: ["banned"],
  "user-groups": [
    { name: "banned", manual: [] },
    { name: "people", manual: [{ subject: "/DC=org/CN=Paul" }] },
    { name: "production", voms: "/fermilab/nova", role: "Production", members: [{ subject: "/DC=org/CN=Pia" }] },
    { name: "nova", voms: "/fermilab/nova", match: "vogroup", members: [{ subject: "/DC=org/CN=Nora" }] },
    { name: "minos", voms: "/fermilab/minos", match: "vogroup" },
    { name: "alice", manual: [{ subject: ALICE }] },
  ],
  "account-mappers": [
    { name: "paul", account: "paul", group: "people" },
    { name: "novapro", account: "novapro" },
    { name: "nova", account: "novausr" },
    { name: "minos", pool: "minos", accounts: ["minos01-10"] },
    { name: "alice", account: "alice" },
  ],
  mappings: [
    { name: "people", groups: ["people"], accounts: ["paul"] },
    { name: "production", groups: ["production"], accounts: ["novapro"] },
    { name: "nova", groups: ["nova"], accounts: ["nova"] },
    { name: "minos", groups: ["minos"], accounts: ["minos"] },
    { name: "alice", groups: ["alice"], accounts: ["alice"] },
  ],
  hosts: [
    { match: "ce1", use: ["alice"] },
    { match: ["*.example.org", "*.fermigrid.test"], use: ["people", "production", "nova", "minos"] },
  ],
};
const GUMS = "/gums/services/GUMSXACMLAuthorizationServicePort";
const SAML1 = "/gums/services/GUMSAuthorizationServicePort";
const SAZ = "/saz/services/SAZXACMLAuthorizationServicePort";

let stage: Stage;
let gums: Actor;
let saz: Actor;
let gatekeeper: Identity;
let stranger: Identity;
let operator: Identity;

before(async () => {
  stage = await Stage.open();
  gatekeeper = await stage.identity("ce1");
  stranger = await stage.identity("laptop");
  operator = await stage.identity("olga", "operator");
  await stage.castDatabase(["gums", "saz"].map((role) => ({ guest: `${role}1`, role })));
  const config = {
    port: 8443,
    directors: [],
    database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306, servers: [] },
    stale: { after: 600, decides: "go-on" },
    audit: { keep: 86_400, space: 2 ** 24 },
    communities: [
      { name: "fermilab", share: 1, vos: ["fermilab"], certificates: [], addresses: [] },
      { name: "elements", share: 1, vos: [], certificates: ["ce*"], addresses: [] },
    ],
  };
  const reading = readGumsPolicy(setting);
  assert.ok(reading.policy, JSON.stringify(reading.mistakes));
  gums = await stage.cast({
    name: "gums1",
    bundle: "gums",
    address: address(20),
    aliases: ["gums"],
    files: { "etc/gums.json": { ...config, gatekeepers: ["ce*"] }, "etc/policy.json": reading.policy },
  });
  saz = await stage.cast({
    name: "saz1",
    bundle: "saz",
    address: address(21),
    aliases: ["saz"],
    files: {
      "etc/saz.json": { ...config, copies: [{ guest: "saz1", address: address(21) }] },
      "etc/policy.json": OPEN_SAZ,
    },
  });
});
after(() => stage.close());

const at = (actor: Actor) => ({ address: actor.address, port: 8443, name: actor.name });
const post = (path: string, body: string, as = gatekeeper): Promise<Answered> =>
  stage.call(at(path === SAZ ? saz : gums), path, as, body);
const change = async (path: string, body: unknown): Promise<void> => {
  const answer = await stage.call(at(path.startsWith("/saz") ? saz : gums), path, operator, body);
  assert.equal(answer.status, 200, answer.body);
};

/** @returns decision and account; what is answered to a fault fails the test */
function decided({ status, body }: Answered): readonly [decision: string, account: string | null] {
  assert.equal(status, 200, body);
  const decision = /<xacml-context:Decision>(\w+)</.exec(body)?.[1] ?? /Statement Decision="(\w+)"/.exec(body)?.[1];
  const account = /attribute\/username"[^>]*>([^<]*)</.exec(body) ?? /attribute:UserId"[^>]*>([^<]*)</.exec(body);
  return [decision ?? "none", account?.[1] ?? null];
}
const ask = async (path: string, body: string, as = gatekeeper) => decided(await post(path, body, as));
/** @param issuer who vouches for the FQAN */
const who = (subject: string, fqan = PRIMARY, issuer = VOMS): string =>
  interopQuery({
    subject: [
      [interopId("subject/subject-x509-id"), subject],
      [interopId("subject/voms-primary-fqan"), fqan, issuer],
    ],
  });
const fault = (answer: Answered, says: RegExp, code = "Client"): void => {
  assert.equal(answer.status, 500, answer.body);
  assert.match(answer.body, new RegExp(`^<soapenv:Envelope .*<faultcode>soapenv:${code}</faultcode>`));
  assert.match(answer.body, says);
};

test("GUMS answers every dialect with the account that the rules give", async () => {
  assert.deepEqual(await ask(GUMS, interopQuery()), ["Permit", "novapro"]);
  assert.deepEqual(await ask(GUMS, emiQuery()), ["Permit", "novapro"]);
  // ARC leaves the role out of what it sends in this dialect: the group's account is what is left.
  assert.deepEqual(await ask(GUMS, creamQuery()), ["Permit", "novausr"]);
  assert.deepEqual(await ask(GUMS, subjectQuery()), ["Permit", "alice"], "the host is the one that asks");
  assert.deepEqual(await ask(SAML1, saml1Query()), ["Permit", "novapro"]);
});

test("a no has no obligation and no account in it", async () => {
  for (const [path, body] of [
    [GUMS, who("/DC=org/CN=Nobody", "/cms")],
    [GUMS, subjectQuery("CN=Nobody,DC=org")],
    [SAML1, saml1Query({ fqan: "/cms" })],
  ] as const) {
    const answer = await post(path, body);
    assert.deepEqual(decided(answer), ["Deny", null]);
    assert.doesNotMatch(answer.body, /Obligation[s>]|ObligationId|UserId/);
  }
});

test("a group by name needs a client that takes it; otherwise there is no answer to act on", async () => {
  const paul = { subject: [[interopId("subject/subject-x509-id"), "/DC=org/CN=Paul"]] as const };
  const answer = await post(GUMS, interopQuery(paul));
  assert.deepEqual(decided(answer), ["Indeterminate", null]);
  assert.match(answer.body, /obligation\/account, which the client does not say it can fulfil/);
  const taken = await post(GUMS, interopQuery({ ...paul, obligations: ["username", "account"] }));
  assert.deepEqual(decided(taken), ["Permit", "paul"]);
  assert.match(taken.body, /primary-groupname"[^>]*>people</);
});

test("an FQAN counts when a listed gatekeeper says it has been checked; otherwise the list of members does", async () => {
  const max = "/DC=org/CN=Max";
  assert.deepEqual(await ask(GUMS, who(max)), ["Permit", "novapro"]);
  assert.deepEqual(await ask(GUMS, who(max), stranger), ["Deny", null]);
  assert.deepEqual(await ask(GUMS, who(max, PRIMARY, "http://authz-interop.org/xacml/issuer/none")), ["Deny", null]);
  assert.deepEqual(await ask(SAML1, saml1Query({ voms: "" })), ["Deny", null]);
  assert.deepEqual(await ask(SAML1, saml1Query(), stranger), ["Deny", null]);
  assert.deepEqual(await ask(GUMS, emiQuery(), stranger), ["Deny", null]);
  assert.deepEqual(await ask(GUMS, who("/DC=org/CN=Pia"), stranger), ["Permit", "novapro"]);
});

test("an account of a pool is the same by SOAP and by JSON, and is given once", async () => {
  const first = await ask(GUMS, who("/DC=org/CN=Mia", "/fermilab/minos"));
  assert.match(String(first[1]), /^minos\d\d$/);
  assert.deepEqual(await ask(SAML1, saml1Query({ subject: "/DC=org/CN=Mia", fqan: "/fermilab/minos" })), first);
  const words = new URLSearchParams({
    "subject-x509-id": "/DC=org/CN=Mia",
    "voms-fqan": "/fermilab/minos",
    "dns-host-name": "wn1.example.org",
  });
  const { json } = await stage.call(at(gums), `/gums/json/mapGridIdentity?${words}`, gatekeeper);
  assert.equal(json.username, first[1]);
  const together = await Promise.all([1, 2, 3].map(() => ask(GUMS, who("/DC=org/CN=Moe", "/fermilab/minos"))));
  assert.equal(new Set(together.map(([, account]) => account)).size, 1);
});

test("who is banned gets a no in every dialect", async () => {
  await change("/gums/json/userGroup", { action: "add", group: "banned", subject: ALICE });
  for (const body of [interopQuery(), emiQuery(), creamQuery(), subjectQuery()])
    assert.deepEqual(await ask(GUMS, body), ["Deny", null]);
  assert.deepEqual(await ask(SAML1, saml1Query()), ["Deny", null]);
  await change("/gums/json/userGroup", { action: "remove", group: "banned", subject: ALICE });
  assert.deepEqual(await ask(GUMS, subjectQuery()), ["Permit", "alice"]);
});

test("SAZ judges person, VO, role and authority in every dialect", async () => {
  const cases = [
    [{ dn: ALICE }, [interopQuery(), emiQuery(), creamQuery(), subjectQuery()], [subjectQuery("CN=Bob,DC=org")]],
    [{ vo: "fermilab" }, [interopQuery(), emiQuery(), creamQuery()], [subjectQuery()]],
    [{ role: PRIMARY }, [interopQuery(), emiQuery()], [creamQuery(), subjectQuery()]],
    [{ ca: "/DC=org/DC=fermigrid/CN=People CA" }, [emiQuery(), creamQuery()], [interopQuery(), subjectQuery()]],
  ] as const;
  for (const [target, denied, permitted] of cases) {
    for (const body of [...denied, ...permitted]) assert.deepEqual(await ask(SAZ, body), ["Permit", null]);
    await change("/saz/json/ban", { ...target, reason: "<b> & key" });
    for (const body of denied) assert.deepEqual(await ask(SAZ, body), ["Deny", null], JSON.stringify(target));
    for (const body of permitted) assert.deepEqual(await ask(SAZ, body), ["Permit", null], JSON.stringify(target));
    assert.match((await post(SAZ, denied[0])).body, /banned: &lt;b&gt; &amp; key</);
    await change("/saz/json/unban", target);
  }
});

test("the record says in which dialect was asked, and is searched by it", async () => {
  const search = async (actor: Actor, path: string, words: Readonly<Record<string, string>>) => {
    const bounds = { from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z" };
    const answer = await stage.call(at(actor), `${path}?${new URLSearchParams({ ...bounds, ...words })}`, operator);
    assert.equal(answer.status, 200, answer.body);
    return answer.json.records as Record<string, unknown>[];
  };
  const [found] = await search(gums, "/gums/json/audit", { dialect: "common-ce", account: "novapro" });
  const { at: _, from: __, ...record } = found!;
  assert.deepEqual(record, {
    subject: ALICE,
    fqan: PRIMARY,
    host: "ce1.example.org",
    account: "novapro",
    rule: "*.example.org, *.fermigrid.test: production > novapro",
    asked: "ce1",
    dialect: "common-ce",
  });
  assert.ok((await search(gums, "/gums/json/audit", { dialect: "saml-1" })).length > 0);
  const denied = await search(saz, "/saz/json/audit", { dialect: "cream", decision: "Deny" });
  assert.equal(denied[0]!.subject, ALICE);
});

test("what is no question gets a fault that says why, and nothing of it comes back as markup", async () => {
  fault(await post(GUMS, "salve"), /no XML/);
  fault(await post(GUMS, `<!DOCTYPE a [<!ENTITY b "c">]>${interopQuery()}`), /document type|no XML/);
  fault(await post(GUMS, interopQuery({ resource: [] })), /resource-x509-id or dns-host-name is missing/);
  fault(
    await post(GUMS, interopQuery({ subject: [[interopId("subject/subject-x509-id"), "&lt;evil/&gt;"]] })),
    /&quot;&lt;evil\/&gt;&quot;/,
  );
  fault(await post(SAZ, interopQuery({ subject: [] })), /subject-x509-id is missing/);
  fault(await post(SAZ, emiQuery().replaceAll(">fermilab<", ">fermi lab<")), /vo: expected a VO/);
  fault(await post(SAML1, interopQuery()), /expected a SAMLRequest/);
  fault(await post(GUMS, "<a>".repeat(15_000)), /nested/);
  const long = await post(GUMS, `<a>${"x".repeat(70_000)}</a>`);
  assert.equal(long.status, 413, "longer than a body may be");
  fault(await stage.call(at(gums), GUMS, operator, `<a>${"x".repeat(70_000)}</a>`), /characters/);
});

test("an absolute address, any SOAPAction, and only XML: as clients send them", async () => {
  const send = (headers: Record<string, string>): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: gums.address,
          port: 8443,
          servername: "gums1",
          path: `https://gums.fermigrid.test:8443${GUMS}`,
          method: "POST",
          ...gatekeeper,
          agent: false,
          headers,
        },
        (response) => {
          let body = "";
          response.on("data", (chunk: Buffer) => {
            body += chunk.toString();
          });
          response.on("end", () => {
            assert.equal(response.headers["content-type"], "text/xml; charset=utf-8");
            resolve({ status: response.statusCode ?? 0, body, json: {} });
          });
        },
      );
      sent.on("error", reject);
      sent.end(interopQuery());
    });
  const action = "http://www.globus.org/security/XACMLAuthorization/XACMLAuthorizationPortType/AuthorizeRequest";
  for (const soapaction of ['""', `"${action}"`, "nonsense"])
    assert.deepEqual(decided(await send({ soapaction, "content-type": "text/xml; charset=utf-8" })), [
      "Permit",
      "novapro",
    ]);
  fault(await send({ "content-type": "text/plain" }), /expected text\/xml/);
});

test("a call's community is told by certificate and address: its VO stands in the body", async () => {
  const { json } = await stage.call(at(gums), "/load", operator);
  const communities = json.communities as { name: string; answered: number }[];
  assert.ok(communities.find(({ name }) => name === "elements")!.answered > 20, JSON.stringify(json));
});

test("nordugridmap and GUMS's command line find what they ask for", async () => {
  await change("/gums/json/userGroup", { action: "add", group: "nova", subject: "/DC=org/CN=Nils & Co" });
  await change("/gums/json/userGroup", { action: "add", group: "banned", subject: "/DC=org/CN=Pia" });
  const compatibility = "/gums/services/VOMSCompatibility";
  const names = ({ status, body }: Answered): readonly string[] => {
    assert.equal(status, 200, body);
    return [...body.matchAll(/<getGridmapUsersReturn xsi:type="xsd:string">([^<]*)</g)].map(([, name]) => name!);
  };
  const nova = ["/DC=org/CN=Nils &amp; Co", "/DC=org/CN=Nora"];
  assert.deepEqual(names(await post(compatibility, gridmapUsersCall("/fermilab/nova"))), nova, "without who is banned");
  assert.deepEqual(
    names(await stage.call(at(gums), `${compatibility}?method=getGridmapUsers&container=%2Ffermilab`, gatekeeper)),
    nova,
  );
  assert.deepEqual(names(await post(compatibility, gridmapUsersCall("people"))), ["/DC=org/CN=Paul"]);
  assert.deepEqual(names(await post(compatibility, gridmapUsersCall("/fermilab/novae"))), []);
  fault(await post(compatibility, gridmapUsersCall("no such")), /neither a group of the policy nor an FQAN/);
  fault(
    await post(compatibility, gridmapUsersCall("x").replaceAll("getGridmapUsers", "constructor")),
    /expected getGridmapUsers/,
  );
  // A ban of SAZ's is in the list too, as soon as it has come.
  await change("/saz/json/ban", { dn: "/DC=org/CN=Nora" });
  await until(async () => names(await post(compatibility, gridmapUsersCall("/fermilab/nova"))).length === 1);

  const admin = "/gums/services/GUMSAdmin";
  assert.match(
    (await post(admin, mapUserCall("wn1.example.org", ALICE, PRIMARY))).body,
    /mapUserReturn xsi:type="xsd:string">novapro</,
  );
  assert.match((await post(admin, mapUserCall("wn1.example.org", ALICE, "/cms"))).body, /mapUserReturn xsi:nil="true"/);
  const file = await post(admin, mapUserCall("wn1.example.org", "", "").replaceAll("mapUser", "generateGridMapfile"));
  assert.match(file.body, /&quot;\/DC=org\/CN=Paul&quot; paul/);
});

test("a copy that has not seen its database for too long refuses with a fault", async () => {
  const lone = await stage.cast({
    name: "saz2",
    bundle: "saz",
    address: address(22),
    files: {
      "etc/saz.json": {
        port: 8443,
        directors: [],
        database: { kind: "sqlite", alias: "mysql", address: address(6), port: 3306 },
        stale: { after: 0, decides: "refuse" },
        audit: { keep: 86_400, space: 2 ** 24 },
        copies: [],
      },
      "etc/policy.json": OPEN_SAZ,
    },
  });
  const answer = await stage.call(at(lone), SAZ, gatekeeper, interopQuery());
  fault(answer, /decisions are refused/, "Server");
});
