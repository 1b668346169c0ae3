/**
 * Calls of GUMS's and VOMS-Admin's old RPC services that clients still make, and their answers: an operation with texts as parameters, found by
 * local names, because SOAP encoding leaves the rest to taste.
 * Source: messages captured from `nordugridmap` and from GUMS's own command line.
 */
import { SoapRefused } from "./refusal.ts";
import { inSoap, readSoap } from "./soap.ts";
import { escapeXml } from "./xml.ts";

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
