/**
 * What a VOMS server and a decision point pay for X.509: attribute certificates read, believed and made, and proxy paths validated, for each
 * second of processor. Run by `bin/node bench/attribute-certificates.ts`; it needs openssl for the keys.
 */
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  issueAttributeCertificate,
  parseLsc,
  readAttributeCertificate,
  readPemCertificates,
  validateProxyPath,
  verifyAttributeCertificate,
} from "../src/grid/index.ts";
import { AUTHORITY, INHERIT, type Made, PERSON, Workshop } from "../test/support/openssl.ts";
import { atLeast, median } from "./verdict.ts";

/** Attribute certificates read for each second of processor: the rate that made an own reader worth writing. */
const PROMISE_READ = 25_000;
const ROUNDS = 5;
const MILLISECONDS = 400;

/** @returns how often `work` is done in a second of processor, median of five */
function perCpuSecond(work: () => unknown): number {
  const round = (): number => {
    const started = process.cpuUsage();
    let times = 0;
    for (;;) {
      for (let index = 0; index < 20; index++) work();
      times += 20;
      const { user, system } = process.cpuUsage(started);
      if (user + system > MILLISECONDS * 1000) return (times * 1e6) / (user + system);
    }
  };
  round();
  return median(Array.from({ length: ROUNDS }, round));
}

const openssl = new Workshop();
try {
  const say = (what: string, rate: number, words = ""): void =>
    console.log(`${what.padEnd(58)} ${Math.round(rate).toLocaleString("en").padStart(8)} / CPU-s  ${words}`);
  for (const kind of ["rsa", "ec"] as const) {
    const root = openssl.make({ subject: "/DC=org/CN=Root", kind, extensions: AUTHORITY });
    const person = (subject: string): Made => openssl.make({ subject, by: root, kind, extensions: PERSON });
    const alice = person("/DC=org/DC=fermigrid/OU=People/CN=Alice Example");
    const server = person("/DC=org/DC=fermigrid/OU=Services/CN=voms.fermigrid.test");
    const proxy = openssl.proxy(alice, INHERIT, { kind });
    const one = (made: Made) => readPemCertificates(made.pem)[0]!;
    const [holder, issuer] = [one(alice), one(server)];
    const anchors = [one(root)];
    const now = Date.now() + 1000;
    const grant = {
      ...{
        holder,
        issuer,
        key: createPrivateKey(readFileSync(server.key)),
        vo: "fermilab",
        host: "voms.test",
        port: 15001,
      },
      ...{ fqans: ["/fermilab/nova/Role=Production", "/fermilab"], now, lifetime: 12 * 3600 * 1000 },
    };
    const bytes = issueAttributeCertificate(grant);
    const read = perCpuSecond(() => readAttributeCertificate(bytes));
    say(
      `${kind}: an attribute certificate read (${bytes.length} octets)`,
      read,
      atLeast(read, PROMISE_READ, "/ CPU-s"),
    );
    const ac = readAttributeCertificate(bytes);
    const trust = [parseLsc("fermilab", "voms.test", `${server.subject}\n${root.subject}\n`)];
    const rules = { anchors, trust, now };
    say(
      `${kind}: read and believed`,
      perCpuSecond(() => verifyAttributeCertificate(readAttributeCertificate(bytes), holder, rules)),
    );
    say(
      `${kind}: believed again`,
      perCpuSecond(() => verifyAttributeCertificate(ac, holder, rules)),
    );
    say(
      `${kind}: made`,
      perCpuSecond(() => issueAttributeCertificate(grant)),
    );
    const chain = [one(proxy).der, holder.der];
    say(
      `${kind}: a proxy's path read and validated`,
      perCpuSecond(() => validateProxyPath(chain, anchors, { now })),
    );
  }
} finally {
  openssl.remove();
}
