/** SOAP 1.1 around a message: what is asked, and a fault in place of an answer (W3C Note of 8 May 2000). */
import { Buffer, isAscii } from "node:buffer";
import { SPACES } from "./names.ts";
import { readPlainXml } from "./plain-xml.ts";
import { SoapRefused } from "./refusal.ts";
import { attributeKey, childrenOf, escapeXml, onlyChild, readStrictXml, type XmlElement } from "./xml.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });
const MUST_UNDERSTAND = attributeKey(SPACES.soapenv, "mustUnderstand");

/** @returns a request's body as text @throws {SoapRefused} */
export function textOf(octets: Uint8Array): string {
  try {
    return isAscii(octets)
      ? Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("latin1")
      : UTF8.decode(octets);
  } catch {
    throw new SoapRefused("the message is not UTF-8");
  }
}

/**
 * @param octets a request's body
 * @returns the one element in the SOAP body
 * @throws {SoapRefused}
 */
export function readSoap(octets: Uint8Array): XmlElement {
  return readSoapText(textOf(octets));
}

/** The same of a body that is text already. @throws {SoapRefused} */
export function readSoapText(text: string): XmlElement {
  const envelope = readPlainXml(text) ?? readStrictXml(text);
  if (envelope.name !== "Envelope") throw new SoapRefused("expected a SOAP envelope");
  if (envelope.space !== SPACES.soapenv) throw new SoapRefused("expected SOAP 1.1", "VersionMismatch");
  for (const header of childrenOf(envelope, SPACES.soapenv, "Header"))
    for (const entry of header.children)
      if (/^(1|true)$/.test(entry.attributes.get(MUST_UNDERSTAND)?.trim() ?? ""))
        throw new SoapRefused(`the header ${entry.name} is not understood here`, "MustUnderstand");
  const body = onlyChild(envelope, SPACES.soapenv, "Body");
  const [asked, ...more] = body?.children ?? [];
  if (asked === undefined || more.length > 0) throw new SoapRefused("expected one request in the SOAP body");
  return asked;
}

/** @returns the message as a SOAP envelope */
export function inSoap(message: string): string {
  return `<soapenv:Envelope xmlns:soapenv="${SPACES.soapenv}"><soapenv:Body>${message}</soapenv:Body></soapenv:Envelope>`;
}

/** @returns the whole answer that says why there is none; answered with status 500 (SOAP 1.1, 6.2) */
export function soapFault({ code, message }: Pick<SoapRefused, "code" | "message">): string {
  return inSoap(
    `<soapenv:Fault><faultcode>soapenv:${code}</faultcode><faultstring>${escapeXml(message)}</faultstring></soapenv:Fault>`,
  );
}
