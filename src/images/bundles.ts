/**
 * Programs of the house → one file each, cached by content. Guests run from the cache and not from the clone, so that changing or removing
 * the clone never changes what runs. A bundled program starts in a twentieth of the time.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makePrivateDirectory, writeFileDurably } from "../world/index.ts";

const HOUSE = join(import.meta.dirname, "../..");
/** Where a bundle's program starts: the supervisor stands for hardware, everything else runs inside guests. */
const entryOf = (bundle: string): string =>
  bundle === "supervisor"
    ? join(HOUSE, "src/hypervisor/process/supervisor.ts")
    : join(HOUSE, "services", bundle, "main.ts");

/** Modules of CommonJS packages ask for `require` and file names when they are loaded. */
const BANNER = `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`;

export class BundleCache {
  readonly directory: string;
  private readonly building = new Map<string, Promise<string>>();

  /** @param directory where bundles are kept, made private */
  constructor(directory: string) {
    this.directory = directory;
    makePrivateDirectory(directory);
  }

  /**
   * @param bundle name of a folder in `services/`, or `supervisor`
   * @returns its file name in the cache; built at most once in a run
   */
  file(bundle: string): Promise<string> {
    const known = this.building.get(bundle) ?? this.build(bundle);
    this.building.set(bundle, known);
    return known;
  }

  private async build(bundle: string): Promise<string> {
    const esbuild = await import("esbuild");
    const result = await esbuild.build({
      entryPoints: [entryOf(bundle)],
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node26",
      write: false,
      legalComments: "none",
      minifySyntax: true,
      banner: { js: BANNER },
      logLevel: "silent",
    });
    const content = result.outputFiles[0]!.contents;
    const name = `${bundle}-${createHash("sha256").update(content).digest("hex").slice(0, 12)}.mjs`;
    const path = join(this.directory, name);
    if (!existsSync(path)) writeFileDurably(path, content, 0o600);
    return name;
  }
}
