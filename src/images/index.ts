/** What guests are made of: programs of the house as bundles; images of whole machines come later. */
export * from "./bundles.ts";
