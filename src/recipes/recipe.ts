/**
 * The contract of a recipe: what one kind of service puts into a guest. Pure: a recipe renders text and tables, it never looks at the world.
 */
import type {
  Alias,
  BlueprintAlias,
  GuestDefinition,
  GuestFile,
  GuestName,
  HostName,
  Probe,
  Secret,
  Service,
  ServiceName,
  SettingFacts,
  Site,
  Strategy,
} from "../model/index.ts";

/** A guest's place as recipes see it. */
export interface Seat {
  readonly name: GuestName;
  readonly service: ServiceName;
  readonly host: HostName;
  readonly address: string;
  /** 0 for the first copy. */
  readonly copy: number;
}

export interface RecipeContext {
  readonly site: Site;
  readonly service: Service;
  readonly seat: Seat;
  /** Every copy of this service in copy order, this one among them. */
  readonly copies: readonly Seat[];
  /** Every guest of the site, in order of name. */
  readonly seats: readonly Seat[];
  /** Every alias of the site with its address and port decided. Backends are complete. */
  readonly aliases: readonly BlueprintAlias[];
  /** `embedded`: processes on one machine. `real`: a guest with a kernel of its own. */
  readonly target: "embedded" | "real";
  /** What stands behind the `mysql` recipe. */
  readonly database: "mariadb" | "sqlite";
}

/** What goes into one guest. Certificates are added for every guest by the planner: `etc/tls/{ca,cert,key}.pem`. */
export interface Rendered {
  readonly definition: Pick<
    GuestDefinition,
    "image" | "packages" | "data" | "program" | "environment" | "ports" | "probe" | "watchdog"
  >;
  readonly files: readonly GuestFile[];
  /** Secrets beyond its own certificate, such as the token that lets a director have its peer ended. */
  readonly secrets: readonly Secret[];
}

/** What the front end needs to know about a copy of this service. */
export interface AliasShape {
  /** Port of the copies; alias port = real port (direct routing needs it). */
  readonly port: number;
  readonly check: Probe;
  readonly distribution: "all" | "one-writer";
  readonly proxyProtocol: boolean;
}

/** A request a client makes of the service: what `domus load` and the acceptance tests send. */
export interface SampleRequest {
  readonly kind: "read" | "write";
  readonly method: "GET" | "POST";
  readonly scheme: "http" | "https";
  readonly path: string;
  readonly body: string | null;
  /** Content type of the body where it is not JSON. */
  readonly type?: string;
  /** The answer is right when the status is one of these and the body contains the text. */
  readonly statuses: readonly number[];
  readonly contains: string | null;
}

/** A request of which it is known what makes an answer right: what acceptance asks every copy, beyond "it answers". */
export interface Question {
  readonly request: SampleRequest;
  /** What is asked, for people: `the account of /DC=org/…/CN=Alice Example`. */
  readonly asks: string;
  /** What an answer says, without what differs from answer to answer; every copy must say the same. `null`: nothing that can be compared. */
  readonly reads: ((body: string) => string) | null;
  /** What the site file makes of it; `null` where records decide too. */
  readonly right: string | null;
}

export interface Recipe {
  readonly name: string;
  /** One line for people: what it is. */
  readonly title: string;
  readonly defaults: {
    readonly strategy: Strategy;
    /** Bytes. */
    readonly memory: number;
    readonly cpus: number;
    readonly disk: number;
    readonly port: number | null;
  };
  /** Settings the recipe understands, beyond the common keys: name → what is expected, checked when a site is read. */
  readonly settings: Readonly<Record<string, SettingRule>>;
  /** What is left of this service when a service it needs is gone. */
  readonly withoutNeeds: "answers" | "read-only" | "lost";
  /**
   * Which copies hold what the service needs to answer: all of them, or (SQLite in place of MariaDB) the last alone.
   */
  readonly holders: (database: RecipeContext["database"], copies: readonly Seat[]) => readonly Seat[];
  readonly alias: (
    service: Service,
    context: { target: RecipeContext["target"]; database: RecipeContext["database"] },
  ) => AliasShape | null;
  /** A second program in the same guests, behind an alias of its own (`also:` in the site file). */
  readonly also?: {
    /** What it is, for people. */
    readonly says: string;
    /** Port of the alias where the file is silent. */
    readonly port: number;
    readonly shape: (alias: Alias, context: { target: RecipeContext["target"] }) => AliasShape;
    readonly samples: readonly SampleRequest[];
  };
  readonly render: (context: RecipeContext) => Rendered;
  /** Why the embedded default cannot run this service (packages, kernels); `null` when it can. */
  readonly embeddedRefusal: (service: Service) => string | null;
  readonly samples: readonly SampleRequest[];
  /** Questions with known answers; the samples alone when silent. */
  readonly questions?: (service: Service) => readonly Question[];
}

/** What a setting must be; see `SettingFacts` of the model. */
export type SettingRule = SettingFacts;
