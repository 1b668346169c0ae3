/** The command line's manners and what its `--json` holds, for programs beside it. */
export type { SiteStatus } from "./commands/status.ts";
export { complainDefect, complainFault, paint, say, sayJson } from "./say.ts";
