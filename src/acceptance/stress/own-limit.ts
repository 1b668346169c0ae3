/**
 * What the load generator can do itself: measured first, against a server that does nothing. Counted by the processor time it took and not by the clock,
 * because the bare server needs processors too: what is found is what it does with processors of its own.
 */
import { createAuthority, issueCertificate } from "../../pki/index.ts";
import type { SampleRequest } from "../../recipes/index.ts";
import { LineChild } from "./child.ts";
import type { Generators } from "./generators.ts";
import type { BareTask } from "./task.ts";

const HERE = "127.0.0.1";
const NAME = "bare";
const CLIENTS = 16;
/** As long as an answer of GUMS. */
const BODY = JSON.stringify({ result: "OK", username: "novapro", groupname: "nova" });
/** Share of the time in which it first warms up. */
const WARM = 0.35;

/**
 * @param scheme of the services that will be asked
 * @param seconds to measure for
 * @returns calls a second of all generators together, a new connection for each
 * @throws ChildEnded
 */
export async function generatorLimit(
  generators: Generators,
  scheme: SampleRequest["scheme"],
  seconds: number,
): Promise<number> {
  const server = new LineChild("bare");
  try {
    // Servers under an authority made for this moment; the clients are who they will be, with the keys that they will have.
    const secured = scheme === "https" ? await securedTask(generators.tls.ca) : null;
    server.send(secured?.bare ?? ({ tls: null, body: BODY } satisfies BareTask));
    const port = Number(await server.line());
    const sample: SampleRequest = {
      kind: "read",
      method: "GET",
      scheme,
      path: "/",
      body: null,
      statuses: [200],
      contains: '"result"',
    };
    const run = (time: number) =>
      generators.run(
        {
          target: { address: HERE, port, servername: secured && NAME },
          samples: [sample],
          pace: { kind: "closed", workers: CLIENTS },
          seconds: time,
          keepAlive: false,
          secure: secured !== null,
          ...(secured ? { believes: secured.authority } : {}),
        },
        1,
      );
    await run(seconds * WARM);
    const before = generators.use().cpuSeconds;
    const { answered } = await run(seconds * (1 - WARM));
    const used = generators.use().cpuSeconds - before;
    return used > 0 ? (answered / used) * generators.count : 0;
  } finally {
    await server.close();
  }
}

async function securedTask(clients: string): Promise<{ readonly bare: BareTask; readonly authority: string }> {
  const authority = await createAuthority(NAME, Date.now());
  const subject = { commonName: NAME, unit: "guest", dns: [NAME], ip: [HERE] } as const;
  const { certificate, key } = await issueCertificate(authority, subject, Date.now());
  return { bare: { tls: { ca: clients, cert: certificate, key }, body: BODY }, authority: authority.certificate };
}
