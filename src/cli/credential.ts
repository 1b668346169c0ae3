/**
 * A proxy file holds its private key between its certificates. What is sent to a service is made of the certificates that were read, written
 * anew: nothing else of the file can be in it.
 */
import { GridRefused, readPemCertificates, writePem } from "../grid/index.ts";
import { Fault } from "../model/index.ts";
import { readText } from "./open.ts";

/**
 * @param file for the message
 * @param text of a proxy file, or of any PEM file with a chain
 * @returns PEM of the certificates alone, in their order
 * @throws {Fault} `usage.invalid` when there are none, or one cannot be read
 */
export function certificatesOf(file: string, text: string): string {
  try {
    return readPemCertificates(text)
      .map(({ der }) => writePem("CERTIFICATE", der))
      .join("");
  } catch (error) {
    if (error instanceof GridRefused) throw new Fault("usage.invalid", { reason: `${file}: ${error.message}` });
    throw error;
  }
}

/** @param path of a file; `-` is the standard input */
export function readCredential(path: string): string {
  const file = path === "-" ? "/dev/stdin" : path;
  return certificatesOf(file, readText(file).text);
}
