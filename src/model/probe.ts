/** What is asked of a guest to know that it does its work; the director and the controller ask the same question. */
export type Probe =
  | { readonly kind: "tcp"; readonly port: number }
  | {
      readonly kind: "http" | "https";
      readonly port: number;
      readonly path: string;
      /** Expected status; 200 when the file is silent. */
      readonly status: number;
      /** Text that must stand in the first 64 KiB of the body. */
      readonly contains: string | null;
    }
  /** The process runs; nothing more can be asked of it. */
  | { readonly kind: "running" };

/** One observation. `read-only`: answers reads from its last snapshot. */
export type ProbeOutcome = "answers" | "read-only" | "failed";

export interface ProbeResult {
  readonly outcome: ProbeOutcome;
  /** One sentence: what was seen. */
  readonly says: string;
  readonly milliseconds: number;
}
