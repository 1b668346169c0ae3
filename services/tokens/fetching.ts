/** Texts from servers of organizations elsewhere, over TLS: bounded in time and size, no redirects. */
import { request } from "node:https";
import { rootCertificates } from "node:tls";
import type { TlsFiles } from "../serving/index.ts";

export interface FetchLimits {
  /** Octets of the answer. */
  readonly octets: number;
  /** Milliseconds for everything. */
  readonly patience: number;
}

/** How such a text is had; tests have their own. */
export type FetchText = (url: string, tls: TlsFiles, limits: FetchLimits) => Promise<string>;

/** @throws Error with a sentence about the server, never with what it sent */
export const fetchText: FetchText = (url, { ca, cert, key }, { octets, patience }) =>
  new Promise((resolve, reject) => {
    // Their servers have certificates of public authorities; the site's own are the site's.
    const call = request(url, { ca: [ca, ...rootCertificates], cert, key }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > octets) call.destroy(new Error(`it answers more than ${octets} octets`));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(Buffer.concat(chunks).toString("utf8"))
          : reject(new Error(`it answers with status ${response.statusCode}`)),
      );
    });
    const timer = setTimeout(() => call.destroy(new Error(`no answer within ${patience / 1000} s`)), patience);
    call.on("error", reject);
    call.on("close", () => clearTimeout(timer));
    call.end();
  });
