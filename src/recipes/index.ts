/** What each kind of service puts into a guest. */
export * from "./recipe.ts";
