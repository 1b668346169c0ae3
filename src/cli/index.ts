/** The command line's manners, for programs beside it that speak the same way. */
export { complainDefect, complainFault, paint, say, sayJson } from "./say.ts";
