/** VOMS and VOMRS come with a later version. Until then their guests run, say so, and count as failed wherever the site's health is asked. */
import type { Recipe } from "./recipe.ts";
import { servedAlias, servedDefinition } from "./serving.ts";
import { copyPort, directorAddresses, jsonFile, type ServingConfig } from "./surroundings.ts";

/** `etc/placeholder.json` */
export interface PlaceholderConfig extends ServingConfig {
  readonly says: string;
}

const PORT = 15001;

export const voms: Recipe = {
  name: "voms",
  title: "VOMS: membership of virtual organizations (not implemented yet)",
  defaults: { strategy: "active-active", memory: 2 * 1024 ** 3, cpus: 1, disk: 0, port: PORT },
  settings: {},
  withoutNeeds: "lost",
  holders: (_database, copies) => copies,
  alias: (service, { target }) => servedAlias(service, target, PORT),
  render: (context) => {
    const port = copyPort(context.service, context.target, PORT);
    const config: PlaceholderConfig = {
      port,
      directors: directorAddresses(context),
      says: "VOMS comes with a later version",
    };
    return {
      definition: servedDefinition("placeholder", port),
      files: [jsonFile("etc/placeholder.json", config)],
      secrets: [],
    };
  },
  embeddedRefusal: () => null,
  samples: [],
};
