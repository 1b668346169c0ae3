/** Neutral guest → what a host in memory keeps of it: the order itself, without secrets' values. */
import type { GuestOrder } from "../contract.ts";

export interface MemoryDocument {
  readonly order: GuestOrder;
  /** Counts starts, so that a test can see that nothing was started twice. */
  starts: number;
  /** What it "wrote" to its data disk. */
  data: string[];
}

export function memoryDocument(order: GuestOrder): MemoryDocument {
  return { order: { ...order, secretFiles: [] }, starts: 0, data: [] };
}
