/** Members of VOMS groups, fetched and recorded: who came, who left, what is never emptied, and who fetches when there are several copies. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { MemberBook } from "../../services/gums/state.ts";
import { readGridmapUsers, VomsMembers } from "../../services/gums/voms-members.ts";
import { type Cursor, type Fields, Follower, type RecordedEvent, type Records } from "../../services/records/index.ts";
import { SoapRefused, writeRpcAnswer } from "../../src/grid/index.ts";
import { readGumsPolicy, type VomsGroup } from "../../src/policy/index.ts";
import { gums, RECIPES } from "../../src/recipes/index.ts";

const directory = mkdtempSync(join(tmpdir(), "domus-members-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** One database for several copies. */
class Shared implements Records {
  readonly events: RecordedEvent[] = [];
  async append(_stream: "member", fields: Fields, counter: number): Promise<RecordedEvent> {
    const seq = this.events.length + 1;
    const event = { origin: 1, seq, counter: Math.max(counter, seq), at: "", fields };
    this.events.push(event);
    return event;
  }
  async since(_stream: "member", cursor: Cursor): Promise<readonly RecordedEvent[]> {
    return this.events.slice(cursor["1"] ?? 0);
  }
  renew(): void {}
  async close(): Promise<void> {}
}

const policy = readGumsPolicy({
  "voms-servers": [{ name: "fermilab", url: "https://voms.example.org:8443/voms/fermilab" }],
  "user-groups": [{ name: "nova", voms: "/fermilab/nova", server: "fermilab", "without-fqan": true }],
  "account-mappers": [{ name: "nova", account: "nova" }],
  mappings: [{ name: "nova", groups: ["nova"], accounts: ["nova"] }],
  hosts: [{ match: "*", use: ["nova"] }],
}).policy!;
const group = policy.userGroups[0] as VomsGroup;
const { url } = policy.vomsServers[0]!;
const answer = (...names: string[]): string =>
  writeRpcAnswer(
    { operation: "getGridmapUsers", space: "http://glite.org/wsdl/services/org.glite.security.voms" },
    names,
  );

let copies = 0;
async function copy(
  records: Records,
  says: () => string,
): Promise<{ work: VomsMembers; members: Follower<MemberBook>; asked: string[] }> {
  const members = new Follower<MemberBook>({
    stream: "member",
    fold: new MemberBook(),
    records,
    file: join(directory, `${copies++}.json`),
  });
  await members.poll();
  const asked: string[] = [];
  const fetch = async (address: string): Promise<string> => {
    asked.push(address);
    return says();
  };
  const tls = { ca: "", cert: "", key: "" };
  return {
    work: new VomsMembers({ policy, members, tls, guest: "g1", every: 300, log: () => {}, fetch }),
    members,
    asked,
  };
}

test("who came is recorded, who left is taken out, what people recorded stays", async () => {
  const records = new Shared();
  let says = answer("/DC=org/CN=Ann", "/DC=org/CN=Bo & Co", "nobody");
  const { work, members, asked } = await copy(records, () => says);
  await members.append({
    group: "nova",
    action: "add",
    subject: "/CN=By Hand",
    fqan: "",
    email: "",
    reason: "",
    actor: "olga",
  });
  await work.refresh(group, url);
  assert.equal(
    asked[0],
    "https://voms.example.org:8443/voms/fermilab/services/VOMSCompatibility?method=getGridmapUsers&container=%2Ffermilab%2Fnova",
  );
  const now = (): string[] =>
    members.merged
      .members("nova")
      .map(({ fields }) => fields.subject!)
      .sort();
  assert.deepEqual(now(), ["/CN=By Hand", "/DC=org/CN=Ann", "/DC=org/CN=Bo & Co"]);
  says = answer("/DC=org/CN=Cid", "/DC=org/CN=Ann");
  await work.refresh(group, url);
  assert.deepEqual(now(), ["/CN=By Hand", "/DC=org/CN=Ann", "/DC=org/CN=Cid"]);
  const before = records.events.length;
  await work.refresh(group, url);
  assert.equal(records.events.length, before + 1, "nothing new: only the note that somebody looked");
  says = answer();
  await assert.rejects(work.refresh(group, url), /names nobody/);
  assert.equal(now().length, 3);
  assert.deepEqual(members.merged.groupsOf(""), [], "the note makes nobody a member");
});

test("of two copies one fetches", async () => {
  const records = new Shared();
  const first = await copy(records, () => answer("/CN=Ann"));
  const second = await copy(records, () => answer("/CN=Ann"));
  await first.work.refresh(group, url);
  await second.members.poll();
  assert.ok(second.members.merged.note("nova") !== undefined);
  await second.work.look();
  await second.work.look();
  assert.deepEqual(second.asked, []);
  const third = await copy(new Shared(), () => answer("/CN=Ann"));
  await third.work.look();
  assert.equal(third.asked.length, 1, "where nobody has fetched, it is fetched");
});

test("the original's twelve hours are minutes here", () => {
  const rule = RECIPES.get("gums")!.settings.refresh!;
  assert.equal(rule.accepts("5 min"), true);
  assert.equal(rule.accepts("13 h"), false);
  assert.equal(gums.settings.refresh, rule);
});

test("items behind the array, as some servers write them, are members too", () => {
  const text =
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><getGridmapUsersResponse><getGridmapUsersReturn><getGridmapUsersReturn href="#id0"/></getGridmapUsersReturn></getGridmapUsersResponse><multiRef id="id0">/DC=org/CN=Ann</multiRef></e:Body></e:Envelope>';
  assert.deepEqual([...readGridmapUsers(text)], ["/DC=org/CN=Ann"]);
});

test("whatever a server answers: names or a refusal", () => {
  for (const text of [
    '<!DOCTYPE x [<!ENTITY a "b">]><getGridmapUsersReturn>/CN=a</getGridmapUsersReturn>',
    '<e:Fault xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><getGridmapUsersReturn>/CN=a</getGridmapUsersReturn></e:Fault>',
    "<listMembersReturn>/CN=a</listMembersReturn>",
  ])
    assert.throws(() => readGridmapUsers(text), SoapRefused);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const wrapped of [text, answer(text)])
        try {
          for (const name of readGridmapUsers(wrapped)) assert.match(name, /^\/\S+=/);
        } catch (error) {
          if (!(error instanceof SoapRefused)) throw error;
        }
    }),
  );
});
