/** Why a message is answered by a SOAP fault in place of a decision. */

/** Whose mistake it is, by the words of SOAP 1.1 (4.4.1). */
export type FaultCode = "Client" | "Server" | "VersionMismatch" | "MustUnderstand";

/** The message is no request that is understood here; `message` says why, in words of our own and at most a name from the message. */
export class SoapRefused extends Error {
  override readonly name = "SoapRefused";
  readonly code: FaultCode;
  constructor(message: string, code: FaultCode = "Client") {
    super(message);
    this.code = code;
  }
}
