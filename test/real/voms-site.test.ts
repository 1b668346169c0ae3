/**
 * VOMS on a site: two copies behind one alias with one certificate. People go on asking with a stock client while each copy is killed in turn: no
 * invocation fails. (A director's death cuts connections of a client that never comes again by itself: takeover.test.ts measures that.)
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { formatLsc, formatVomses, readPemCertificates } from "../../src/grid/index.ts";
import { signal } from "../../src/world/index.ts";
import { TestDomus } from "../support/domus.ts";
import { whole } from "../support/site.ts";
import { called } from "../support/stock-clients.ts";
import { People } from "./arc-host.ts";
import { ALICE, CLIENTS, run, VO } from "./voms-house.ts";
import { readProxyFqans } from "./voms-proxy.ts";

const CLIENT = CLIENTS["voms-proxy-init2"];
const skip = existsSync(CLIENT.path) ? false : `not installed: ${CLIENT.package}; test/real/install`;
const INVOCATIONS = 200;
/** Two at a time: an invocation makes a key, which takes most of it. */
const AT_ONCE = 2;

const site = (authorities: string): string => `site: voms-ha
hosts:
  - { name: h1, prefix: a, cpus: 4, memory: 16 GiB }
  - { name: h2, prefix: b, cpus: 4, memory: 16 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby }
  voms:
    recipe: voms
    alias: { name: voms, port: 15001 }
    needs: [mysql]
    settings:
      authorities: ${authorities}
      refresh: 1 s
      vos:
        - name: ${VO}
          groups: [/fermilab/nova]
          roles: [Production]
          members: [{ subject: "${ALICE}", fqans: [/fermilab/nova, /fermilab/nova/Role=Production] }]
  mysql: { recipe: mysql, alias: { name: mysql, port: 3306 } }
`;

describe("VOMS on a site", { skip }, () => {
  const domus = new TestDomus();
  let people: People;
  let address: string;
  let calls = 0;

  before(async () => {
    people = new People(join(domus.state, "people"));
    people.certify("alice", ALICE);
    const file = join(domus.state, "site.yaml");
    writeFileSync(file, site(people.certificates));
    await domus.must("up", file, "--loopback", domus.loopback);
    const status = await whole(domus);
    address = (status.aliases as unknown as { name: string; address: string }[]).find(
      ({ name }) => name === "voms",
    )!.address;
    const authority = readFileSync(join(domus.state, "voms-ha", "operator", "ca.pem"), "utf8");
    people.trust(authority, "site");
    const issuer = readPemCertificates(authority)[0]!.subject.normal;
    const dn = "/O=voms-ha/OU=guest/CN=voms";
    writeFileSync(people.path("vomses"), formatVomses([{ alias: VO, host: address, port: 15001, dn, vo: VO }]), {
      mode: 0o644,
    });
    mkdirSync(join(people.path("vomsdir"), VO), { recursive: true });
    const lsc = formatLsc({ vo: VO, host: "voms", chains: [[dn, issuer]] });
    writeFileSync(join(people.path("vomsdir"), VO, "voms.lsc"), lsc);
  });
  after(async () => {
    await domus.destroy();
    called("voms-proxy-init2", calls);
  });

  const init = async (
    number: number,
  ): Promise<{ readonly code: number | null; readonly out: string; readonly proxy: string }> => {
    calls++;
    const proxy = people.path(`proxy-${number}`);
    const ran = await run(
      CLIENT.path,
      [
        ...["-voms", `${VO}:/fermilab/nova/Role=Production`, "-out", proxy, "-vomses", people.path("vomses")],
        ...["-cert", people.path("alice.pem"), "-key", people.path("alice.key"), "-certdir", people.certificates],
      ],
      {
        PATH: process.env.PATH,
        HOME: people.directory,
        X509_CERT_DIR: people.certificates,
        X509_VOMS_DIR: people.path("vomsdir"),
        // Each writes a temporary proxy by its process's number.
        TMPDIR: domus.state,
      },
    );
    return { ...ran, proxy };
  };

  it("answers each stock client that is installed here, asked by one command", async () => {
    const { clients } = (await domus.json("probe", "voms", "--stock")) as {
      clients: { client: string; installed: boolean; right: boolean; says: string }[];
    };
    assert.deepEqual(
      clients.map(({ client, installed, right }) => [client, installed, right]),
      [
        ["voms-proxy-init2", true, true],
        ["voms-proxy-init3", true, true],
      ],
    );
    for (const { says } of clients) assert.match(says, /User unknown to this VO/);
  });

  it(`gives ${INVOCATIONS} proxies out of ${INVOCATIONS} while each copy is killed in turn, but for handshakes that were cut`, async () => {
    const status = await whole(domus);
    const copies = status.aliases.find(({ name }) => name === "voms")!.copies.map(({ guest }) => guest);
    const failed: string[] = [];
    const cut: string[] = [];
    let next = 0;
    const given = async (number: number): Promise<string | null> => {
      const { code, out, proxy } = await init(number);
      return code === 0 && readProxyFqans(proxy)[0] === "/fermilab/nova/Role=Production/Capability=NULL" ? null : out;
    };
    const ask = async (): Promise<void> => {
      while (next < INVOCATIONS) {
        const number = next++;
        const says = await given(number);
        if (says === null) continue;
        // The copy was killed between the two halves of a TLS handshake: nobody can go on with it, and this client does not try again by itself.
        if (/Error during SSL handshake/.test(says)) cut.push(says);
        else failed.push(says);
        const again = await given(INVOCATIONS + number);
        if (again !== null) failed.push(again);
      }
    };
    const kills: string[] = [];
    const kill = async (): Promise<void> => {
      for (const victim of [...copies, ...copies, ...copies]) {
        if (next >= INVOCATIONS) return;
        const shown = (await domus.json("guest", "show", victim)) as { status: { instance: string } };
        signal(Number(shown.status.instance), "SIGKILL");
        kills.push(victim);
        // The next one only when this one is back: two at once would be more than a site of two hosts promises.
        await whole(domus);
      }
    };
    await Promise.all([...Array.from({ length: AT_ONCE }, ask), kill()]);
    console.log(
      `# killed under ${INVOCATIONS} invocations: ${kills.join(", ")}; cut in a handshake: ${cut.length}; failed: ${failed.length}`,
    );
    assert.deepEqual(failed, []);
    // Each kill meets one at most.
    assert.ok(cut.length <= kills.length, cut.join("\n"));
    for (const victim of copies) assert.ok(kills.includes(victim), `${victim} was not killed in time`);
  });
});
