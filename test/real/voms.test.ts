/**
 * Our VOMS and the stock clients: both of them, in both protocols; order, lifetime, targets, generic attributes, warnings; the right word for who is
 * not served; a proxy that gave something up.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { namedPerson } from "../../services/vo/index.ts";
import { type Actor, address, Stage, until } from "../services/stage.ts";
import { ALICE, CLIENTS, type Client, missingClients, PORT, VO, VomsHouse } from "./voms-house.ts";
import { readProxyAcs, readProxyFqans } from "./voms-proxy.ts";
import { oldServer } from "./voms-relay.ts";

const skip = missingClients();

const VOS = [
  {
    name: VO,
    groups: ["/fermilab/nova", "/fermilab/minos"],
    roles: ["Production", "Analysis"],
    lifetime: "6 h",
    members: [
      { subject: ALICE, fqans: ["/fermilab/nova", "/fermilab/nova/Role=Production", "/fermilab/minos"] },
      { subject: "/DC=org/DC=fermigrid/OU=People/CN=Bob Example", fqans: [] },
    ],
  },
];

const order = (...groups: readonly string[]): readonly string[] => groups.flatMap((group) => ["-order", group]);
const valid = (hours: string): readonly string[] => ["-vomslife", hours, "-valid", "24:00"];
/** How a client is brought to try the older protocol at all. */
const LEGACY: Readonly<Record<Client, readonly string[]>> = {
  "voms-proxy-init2": [],
  "voms-proxy-init3": ["-enable_legacy_protocol"],
};

const FULL = "/Capability=NULL";
const GROUPS = ["/fermilab", "/fermilab/minos", "/fermilab/nova"].map((group) => `${group}/Role=NULL${FULL}`);

describe("the stock clients of VOMS", { skip }, () => {
  let stage: Stage;
  let house: VomsHouse;
  let copy: Actor;

  before(async () => {
    stage = await Stage.open();
    house = await VomsHouse.open(stage);
    await stage.castDatabase([
      { guest: "voms1", role: "voms" },
      { guest: "saz1", role: "saz" },
    ]);
    house.people.certify("alice", ALICE);
    house.people.certify("bob", "/DC=org/DC=fermigrid/OU=People/CN=Bob Example");
    house.people.certify("mallory", "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example");
    copy = await house.copy("voms1", 30, VOS);
  });
  after(async () => {
    await stage.close();
    house?.tellCalls();
  });

  const proxyOf = async (client: Client, voms: string, ...more: readonly string[]): Promise<string> => {
    const { code, out, proxy } = await house.init(client, { voms, more });
    assert.equal(code, 0, `${out}\n${copy.lines.join("\n")}`);
    return proxy;
  };
  const refused = async (client: Client, voms: string, who = "alice"): Promise<string> => {
    const { code, out } = await house.init(client, { voms, who });
    assert.notEqual(code, 0, out);
    return out;
  };

  for (const client of Object.keys(CLIENTS) as Client[])
    describe(client, () => {
      it("gets a proxy with a role, the role first, verified by VOMS's own reader", async () => {
        const proxy = await proxyOf(client, `${VO}:/fermilab/nova/Role=Production`);
        const says = house.info(proxy, "-all");
        assert.match(says, /VO fermilab extension information/);
        assert.match(says, /attribute : \/fermilab\/nova\/Role=Production\/Capability=NULL/);
        assert.deepEqual(readProxyFqans(proxy), [`/fermilab/nova/Role=Production${FULL}`, ...GROUPS]);
      });

      it("gets all groups and no role when none is asked for", async () => {
        assert.deepEqual(readProxyFqans(await proxyOf(client, VO)), GROUPS);
      });

      it("has its order kept", async () => {
        const proxy = await proxyOf(client, VO, ...order("/fermilab/nova", "/fermilab/minos"));
        assert.deepEqual(readProxyFqans(proxy), [GROUPS[2], GROUPS[1], GROUPS[0]]);
      });

      it("is given no longer than the organization allows, and told so", async () => {
        const { code, out, proxy } = await house.init(client, { voms: VO, more: valid("12:00") });
        assert.equal(code, 0, out);
        const [ac] = readProxyAcs(proxy);
        assert.equal((ac!.notAfter - ac!.notBefore) / 1000, 6 * 3600);
        assert.match(out, /shortened to 21600 seconds/);
        const shorter = await proxyOf(client, VO, ...valid("1:00"));
        const [short] = readProxyAcs(shorter);
        assert.equal((short!.notAfter - short!.notBefore) / 1000, 3600);
      });

      it("gets generic attributes, and targets where it asks for them", async () => {
        const person = namedPerson(VO, ALICE);
        await house.write({ kind: "attribute", key: `${person} nickname`, action: "set", value: { text: "ali" } });
        await house.write({ kind: "attribute", key: "/fermilab/nova quota", action: "set", value: { text: "7 TB" } });
        await until(async () => {
          const [ac] = readProxyAcs(await proxyOf(client, VO));
          return ac!.attributes.length === 2;
        });
        // Both write the proxy, and then find that it is not for this machine.
        const { out, proxy } = await house.init(client, { voms: VO, more: ["-target", "ce1.fermigrid.test"] });
        assert.match(out, /not in the AC target list|among allowed hosts/);
        const [ac] = readProxyAcs(proxy);
        assert.deepEqual(ac!.attributes, [
          { name: "nickname", value: "ali", qualifier: VO },
          { name: "quota", value: "7 TB", qualifier: "/fermilab/nova" },
        ]);
        assert.deepEqual(ac!.targets, ["ce1.fermigrid.test"]);
        assert.match(house.info(await proxyOf(client, VO), "-all"), /nickname = ali \(fermilab\)/);
      });

      it("is told why not: not a member, not in the group, banned, suspended", async () => {
        assert.match(await refused(client, VO, "mallory"), /User unknown to this VO/);
        assert.match(await refused(client, `${VO}:/fermilab/minos/Role=Production`), /Unable to satisfy/);
        const key = namedPerson(VO, ALICE);
        await house.write({ kind: "suspension", key, action: "suspend", value: {}, reason: "lost his key" });
        await until(async () => (await house.init(client, { voms: VO })).code !== 0);
        assert.match(await refused(client, VO), /suspended[\s\S]*lost his key/);
        await house.write({ kind: "suspension", key, action: "resume", value: {} });
        await until(async () => (await house.init(client, { voms: VO })).code === 0);
        await house.ban("ban");
        await until(async () => (await house.init(client, { voms: VO })).code !== 0);
        assert.match(await refused(client, VO), /suspended[\s\S]*banned from this site: stolen/);
        await house.ban("unban");
        await until(async () => (await house.init(client, { voms: VO })).code === 0);
      });

      it("comes with the older protocol where REST fails, and reads that answer too", async () => {
        const as = house.people.credential("alice");
        const relay = await oldServer(address(33), house.alias, { address: address(30), port: PORT }, as);
        house.tell({ host: address(33), port: relay.port });
        try {
          const proxy = await proxyOf(client, `${VO}:/fermilab/nova/Role=Production`, ...LEGACY[client]);
          assert.deepEqual(readProxyFqans(proxy), [`/fermilab/nova/Role=Production${FULL}`, ...GROUPS]);
          assert.ok(relay.seen.legacy > 0, JSON.stringify(relay.seen));
        } finally {
          house.tell({ host: address(30), port: PORT });
          await relay.close();
        }
      });

      it("does not get back with a weaker proxy what that proxy gave up", async () => {
        const weak = await proxyOf(client, `${VO}:/fermilab/nova`, ...order("/fermilab/nova"));
        const renewed = await house.renew(client, weak, `${VO}:/fermilab/nova/Role=Production`);
        assert.match(renewed.out, /only a subset of them is given/);
        // The C client cannot verify a proxy of a proxy itself ("Parameters unset"), and removes what it wrote.
        if (renewed.code === 0) assert.deepEqual(new Set(readProxyFqans(renewed.proxy)), new Set(GROUPS));
        else assert.match(renewed.out, /Parameters unset/);
      });
    });

  describe("arcproxy, the client of ARC", () => {
    /** Its words for REST, for the older protocol, and for that over GSI. */
    const WAYS = ["-H", "-B", "-G"] as const;
    const arcproxy = (way: string, who: string, voms: string) => house.arcproxy(way, who, voms);

    for (const way of WAYS) {
      it(`${way}: gets a role and believes what it got`, async () => {
        const { code, out, proxy } = await arcproxy(way, "alice", `${VO}:/fermilab/nova/Role=Production`);
        assert.equal(code, 0, out);
        assert.deepEqual(readProxyFqans(proxy), [`/fermilab/nova/Role=Production${FULL}`, ...GROUPS]);
        const seen = await house.arcproxyInfo(proxy);
        assert.match(
          seen,
          /AC extension information for VO fermilab[\s\S]*attribute : \/fermilab\/nova\/Role=Production/,
        );
        assert.doesNotMatch(seen, /not valid|fail/i);
      });

      it(`${way}: is told why not`, async () => {
        const { code, out } = await arcproxy(way, "mallory", VO);
        assert.notEqual(code, 0);
        assert.match(out, /User unknown to this VO/);
      });
    }
  });
});
