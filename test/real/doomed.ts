/** Domus on the embedded default, killed at one moment: `doomed.ts up|down SITE LOOPBACK STEP MOMENT`, state in DOMUS_STATE. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Controller, EmbeddedHosts, SiteSecrets } from "../../src/controller/index.ts";
import { BundleCache } from "../../src/images/index.ts";
import { readSite } from "../../src/model/index.ts";
import { probeGuest } from "../../src/probe/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";
import { Store, siteDirectory, stateBase } from "../../src/store/index.ts";
import { realClock } from "../../src/world/index.ts";
import { type Moment, sabotage } from "../controller/saboteur.ts";

const [work, file, loopback, step, moment] = process.argv.slice(2) as [string, string, string, string, Moment];
const reading = readSite({ file, text: readFileSync(file, "utf8") }, RECIPES);
if (!reading.ok) throw new Error(`${file} cannot be read`);
const directory = siteDirectory(stateBase(process.env), reading.site.name);
const store = await Store.open(directory, realClock);
const secrets = new SiteSecrets(store.secrets, reading.site.name, realClock);
const operator = await secrets.operator(join(directory, "operator"));
const tls = { ca: operator.authority, cert: operator.certificate, key: operator.key };
const doomed = sabotage(
  {
    store,
    hosts: new EmbeddedHosts(directory, new BundleCache(join(directory, "bundles"))),
    secrets,
    recipes: RECIPES,
    ask: (probe, address) => probeGuest(probe, address, tls),
    clock: realClock,
    programs: { mariadb: false },
    version: (JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as { version: string })
      .version,
    preflight: () => {},
  },
  { step, moment },
);
const controller = new Controller(doomed.parts);
const options = {
  loopback,
  planOnly: false,
  mariadb: false,
  cause: { by: "person", says: "asked by a person" },
} as const;
if (work === "down") await controller.down(doomed.watcher);
else await controller.up(reading.site, options, doomed.watcher);
console.log("survived");
process.exit(9);
