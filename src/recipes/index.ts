/** What each kind of service puts into a guest. Pure. */
export * from "./ports.ts";
export * from "./recipe.ts";
