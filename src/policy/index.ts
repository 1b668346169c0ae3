/** Who may, and as whom: the policies of GUMS and SAZ, read, compiled, explained. Pure. */
export * from "./saz/index.ts";
