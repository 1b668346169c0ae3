/**
 * Our VOMS and the stock clients: both of them, in both protocols; order, lifetime, targets, generic attributes, warnings; the right word for who is
 * not served; two copies of which each is killed in turn while people go on asking.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Actor, Stage } from "../services/stage.ts";
import { ALICE, CLIENTS, type Client, missingClients, VO, VomsHouse, versionOf } from "./voms-house.ts";
import { readProxyFqans } from "./voms-proxy.ts";

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

const FULL = "/Capability=NULL";
const GROUPS = ["/fermilab", "/fermilab/minos", "/fermilab/nova"].map((group) => `${group}/Role=NULL${FULL}`);

describe("the stock clients of VOMS", { skip }, () => {
  let stage: Stage;
  let house: VomsHouse;
  let copy: Actor;

  before(async () => {
    stage = await Stage.open();
    house = await VomsHouse.open(stage);
    await stage.castDatabase([{ guest: "voms1", role: "voms" }]);
    house.people.certify("alice", ALICE);
    house.people.certify("bob", "/DC=org/DC=fermigrid/OU=People/CN=Bob Example");
    house.people.certify("mallory", "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example");
    copy = await house.copy("voms1", 30, VOS);
  });
  after(async () => {
    await stage.close();
    for (const [client, { package: name }] of Object.entries(CLIENTS))
      console.log(`# ${client} ${versionOf(name)}: ${house.calls[client] ?? 0} calls`);
  });

  for (const client of Object.keys(CLIENTS) as Client[]) {
    it(`${client}: a proxy with a role, the role first, verified by its own reader`, async () => {
      const { code, out, proxy } = await house.init(client, { voms: `${VO}:/fermilab/nova/Role=Production` });
      assert.equal(code, 0, `${out}\n${copy.lines.join("\n")}`);
      assert.match(house.info(proxy, "-all"), /VO fermilab extension information/);
      assert.deepEqual(readProxyFqans(proxy), [`/fermilab/nova/Role=Production${FULL}`, ...GROUPS]);
    });
  }
});
