/**
 * Calls of GUMS's and VOMS-Admin's old RPC services that clients still make, and their answers: an operation with texts as parameters, found by
 * local names, because SOAP encoding leaves the rest to taste.
 * Source: messages captured from `nordugridmap` and from GUMS's own command line.
 */
import { SoapRefused } from "./refusal.ts";
import { inSoap, readSoap } from "./soap.ts";
import { escapeXml, readStrictXml, type XmlElement, type XmlLimits } from "./xml.ts";

export interface RpcCall {
  readonly operation: string;
  readonly space: string;
  /** In the order of the message; VOMS-Admin's clients name them as they please. */
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
}

/** @throws {SoapRefused} */
export function readRpcCall(octets: Uint8Array): RpcCall {
  const { name, space, children } = readSoap(octets);
  return {
    operation: name,
    space,
    parameters: children.map((child) => {
      if (child.children.length > 0) throw new SoapRefused(`${child.name}: expected text`);
      return { name: child.name, value: child.text.trim() };
    }),
  };
}

const ENCODED =
  'xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

/**
 * @param value one text, an array of texts, or nothing
 * @returns a whole SOAP answer
 */
export function writeRpcAnswer(
  { operation, space }: Pick<RpcCall, "operation" | "space">,
  value: string | readonly string[] | null,
): string {
  const returned = `${operation}Return`;
  const inside =
    value === null
      ? `<${returned} xsi:nil="true"/>`
      : typeof value === "string"
        ? `<${returned} xsi:type="xsd:string">${escapeXml(value)}</${returned}>`
        : `<${returned} soapenc:arrayType="xsd:string[${value.length}]" xsi:type="soapenc:Array">${value.map((one) => `<${returned} xsi:type="xsd:string">${escapeXml(one)}</${returned}>`).join("")}</${returned}>`;
  // A prefix cannot stand for no namespace.
  const [prefix, declared] = space === "" ? ["", ""] : ["ns1:", ` xmlns:ns1="${escapeXml(space)}"`];
  return inSoap(
    `<${prefix}${operation}Response${declared} ${ENCODED} soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">${inside}</${prefix}${operation}Response>`,
  );
}

/** A list of 100,000 members with long names. */
const LONGEST_LIST: XmlLimits = { characters: 32 * 1024 * 1024, depth: 32, elements: 200_000, attributes: 32 };

/**
 * The other way round: the texts of an array that an operation returned, wherever in the answer its items stand (some servers write them
 * behind the array and only refer to them).
 * @param text a whole SOAP answer
 * @throws {SoapRefused} when it is no answer of that operation, a fault for example
 */
export function readRpcTexts(text: string, operation: string): readonly string[] {
  const texts: string[] = [];
  let returned = false;
  const walk = (element: XmlElement): void => {
    if (element.name === "Fault") throw new SoapRefused(`${operation} was answered with a fault`);
    returned ||= element.name === `${operation}Return`;
    if (element.children.length === 0 && element.text.trim() !== "") texts.push(element.text.trim());
    for (const child of element.children) walk(child);
  };
  walk(readStrictXml(text, LONGEST_LIST));
  if (!returned) throw new SoapRefused(`expected what ${operation} returns`);
  return texts;
}
