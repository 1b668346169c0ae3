/** What a load generator is told and says, as lines of JSON over its input and output. */
import type { HistogramValue, LoadOptions, LoadReport } from "../../probe/index.ts";
import type { TlsIdentity } from "../../world/index.ts";

/** First line: who calls. Comes over the pipe, because arguments and environments can be read by others. */
export interface Introduction {
  readonly tls: TlsIdentity | null;
}

export interface LoadTask {
  readonly run: number;
  readonly options: Pick<LoadOptions, "target" | "samples" | "pace" | "seconds" | "keepAlive" | "from"> & {
    readonly secure: boolean;
    /** Authority of the server, where it is not the site's. */
    readonly believes?: string;
  };
}

export type LoadTimesValue = Readonly<Record<"response" | "service" | "late", HistogramValue>>;

export interface LoadEnd {
  readonly run: number;
  readonly report: LoadReport;
  readonly times: LoadTimesValue;
}

/** What a bare server is told; it says its port. */
export interface BareTask {
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | null;
  readonly body: string;
}
