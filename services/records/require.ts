/**
 * mysql2 is CommonJS. Bundled into one ESM file, its calls of `require("node:net")` look for a global `require`, which ESM does not have.
 * Must be loaded before mysql2.
 */
import { createRequire } from "node:module";

(globalThis as { require?: NodeJS.Require }).require ??= createRequire(import.meta.url);
