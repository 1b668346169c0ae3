/** The command line's manners and what its `--json` holds, for programs beside it. */
export type { SiteStatus } from "./commands/status.ts";
export { openSite } from "./open.ts";
export { carryOnUnheard, complainDefect, complainFault, paint, say, sayJson, table } from "./say.ts";
