/**
 * The book of people together with everything that was ever said of them: the stream of events is the record, and pages show it. VOMS keeps the
 * last words alone; VOMRS keeps all of them in memory and in its snapshot, some ten kilobytes a person over the years, so that the record can be read
 * while the database is away.
 */
import type { VoDefinition } from "../../src/vo/index.ts";
import { compareEvents, type RecordedEvent, type SavedMerge } from "../records/index.ts";
import { VoBook } from "../vo/index.ts";

/** Whom an event is about: a person, or nobody (`""`) where it is the organization's own affair. */
export function concernedBy({ fields }: RecordedEvent): string {
  const { kind = "", name = "", value = "" } = fields;
  switch (kind) {
    case "person":
    case "application":
    case "suspension":
      return name;
    case "signature":
    case "place":
    case "notice":
    case "attribute":
      return name.startsWith("/") ? "" : (name.split(" ", 1)[0] ?? "");
    case "identity":
      try {
        const { person } = JSON.parse(value) as { readonly person?: unknown };
        return typeof person === "string" ? person : "";
      } catch {
        return "";
      }
    default:
      return "";
  }
}

export class Chronicle extends VoBook {
  readonly #told = new Map<string, RecordedEvent[]>();

  constructor(definitions: readonly VoDefinition[]) {
    super(definitions);
  }

  /** Everything said of a person, or of the organization itself where `person` is empty; the last first. */
  history(vo: string, person: string): readonly RecordedEvent[] {
    return [...(this.#told.get(`${vo}\n${person}`) ?? [])].sort((a, b) => compareEvents(b, a));
  }

  override take(event: RecordedEvent): boolean {
    if (!super.take(event)) return false;
    this.#tell(event);
    return true;
  }

  override save(): SavedMerge {
    return { ...super.save(), events: [...this.#told.values()].flat().sort(compareEvents) };
  }

  override restore(saved: SavedMerge): void {
    // In the shared order the last word of each thing comes last, which is all the book itself wants.
    const events = [...saved.events].sort(compareEvents);
    super.restore({ ...saved, events });
    for (const event of events) this.#tell(event);
  }

  #tell(event: RecordedEvent): void {
    const key = `${event.fields.vo}\n${concernedBy(event)}`;
    const told = this.#told.get(key);
    if (told === undefined) this.#told.set(key, [event]);
    else told.push(event);
  }
}
