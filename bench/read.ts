/**
 * How long a large site file takes to read: 5,000 guests in 2,500 services on 200 hosts, every kind of key in use. Median of five, after
 * one that warms up. Run by `bin/node bench/read.ts`; DESIGN promises less than a second.
 */
import { formatDiagnostic, readSite } from "../src/model/index.ts";
import { RECIPES } from "../src/recipes/index.ts";
import { median, verdict } from "./verdict.ts";

const PROMISE_MS = 1000;

/** @returns a site file with two copies of each service */
export function largeSiteFile(services: number, hosts: number): string {
  const racks = Math.ceil(hosts / 10);
  const lines = ["site: large", "network: { cidr: 10.0.0.0/16, mode: bridge, bridge: br0 }", "hosts:"];
  for (let index = 0; index < hosts; index++)
    lines.push(
      `  - { name: node${index}, prefix: n${index}x, hypervisor: "qemu+tls://node${index}/system", cpus: 32, memory: 128 GiB, reserve: 2 GiB, rack: r${index % racks}, address: 10.0.0.${(index % 250) + 1} }`,
    );
  lines.push("services:", "  lvs: { recipe: lvs, strategy: active-standby, memory: 1 GiB }");
  lines.push(
    "  mysql: { recipe: mysql, mode: circular, memory: 16 GiB, disk: 100 GiB, alias: { name: mysql, port: 3306 } }",
  );
  for (let index = 2; index < services; index++)
    switch (index % 4) {
      case 0:
        lines.push(
          `  gums-${index}:`,
          "    recipe: gums",
          "    memory: 3 GiB",
          "    cpus: 2",
          `    alias: { name: gums-${index}, port: 8443, persistence: 5 min }`,
          "    needs: [mysql]",
          "    settings: { stale: { after: 60 s, then: go-on } }",
        );
        break;
      case 1:
        lines.push(
          `  web-${index}:`,
          `    title: Pages number ${index}`,
          "    pages: { /index.html: <h1>Hello</h1> }",
          `    alias: { name: web-${index}, port: 80, scheduler: round-robin }`,
          "    probe: { http: /, port: 80, contains: Hello }",
          `    needs: [gums-${index - 1}]`,
        );
        break;
      case 2:
        lines.push(
          `  disk-${index}: { recipe: ldap, strategy: mirrored, copies: 1+1, memory: 512 MiB, disk: 10 GB, apart: rack }`,
        );
        break;
      default:
        lines.push(
          `  pinned-${index}: { recipe: squid, hosts: [node${index % hosts}, node${(index + 1) % hosts}], memory: 1 GiB, needs: [disk-${index - 1}] }`,
        );
    }
  return `${lines.join("\n")}\n`;
}

if (import.meta.main) {
  const text = largeSiteFile(2500, 200);
  const times: number[] = [];
  let guests = 0;
  for (let run = 0; run <= 5; run++) {
    const began = performance.now();
    const reading = readSite({ file: "large.yaml", text }, RECIPES);
    if (run > 0) times.push(performance.now() - began);
    if (!reading.ok) throw new Error(reading.diagnostics.map(formatDiagnostic).join("\n"));
    guests = reading.site.services.reduce((sum, service) => sum + service.copies, 0);
  }
  const took = median(times);
  console.log(
    `${guests} guests, ${text.length} characters: ${took.toFixed(0)} ms (median of 5)  ${verdict(took, PROMISE_MS, "ms")}`,
  );
}
