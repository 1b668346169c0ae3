/** Records of a site without a database: there is nothing to read, and nothing can be written. The policy file alone decides. */
import { type RecordedEvent, type Records, RecordsError } from "./event.ts";

export class NoRecords implements Records {
  async append(): Promise<RecordedEvent> {
    throw new RecordsError("away", "this service has no database (its `needs` names none)");
  }
  async since(): Promise<readonly RecordedEvent[]> {
    return [];
  }
  renew(): void {}
  async close(): Promise<void> {}
}
