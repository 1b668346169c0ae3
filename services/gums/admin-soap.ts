/**
 * Old RPC calls that clients still make: VOMS-Admin's `getGridmapUsers`, by SOAP and by address, for nordugridmap and what else makes
 * grid-mapfiles; GUMS's own `mapUser` and `generateGridMapfile`. Names of people are shown to guests of the site and operators alone.
 */
import { NameRefused, type RpcCall, readRpcCall, SoapRefused, writeRpcAnswer } from "../../src/grid/index.ts";
import { FILE_FORMATS, gridmapUsers } from "../../src/policy/index.ts";
import { type Believes, type DecidingParts, soapAnswer, soapCall } from "../deciding/index.ts";
import { type Answer, type Call, type Handler, Refusal } from "../http/index.ts";
import type { Files } from "./files.ts";
import type { MapIdentity, Mapped } from "./mapping.ts";
import { questionFrom, readHost } from "./questions.ts";

export interface AdminSoapParts extends Pick<DecidingParts, "log"> {
  readonly files: Files;
  readonly mapIdentity: MapIdentity;
  readonly believes: Believes;
}

const VOMS_COMPATIBILITY = "http://glite.org/wsdl/services/org.glite.security.voms.service.compatibility";

function forTheSite({ peer }: Call): void {
  if (peer.unit === "other") throw new Refusal(403, "names of people are for guests of the site and operators");
}

type Operation = (rpc: RpcCall, call: Call) => Answer | Promise<Answer>;

/** @returns the operation's own table entry; names of JavaScript's are none */
function operationOf(operations: Readonly<Record<string, Operation>>, { operation }: RpcCall): Operation {
  const found = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
  if (found === undefined) throw new SoapRefused(`expected ${Object.keys(operations).join(" or ")}`);
  return found;
}

/** @returns a parameter by its name, the same in every client */
function parameter({ parameters }: RpcCall, name: string): string {
  return parameters.find((one) => one.name === name)?.value ?? "";
}

export function adminSoapRoutes({
  log,
  files,
  mapIdentity,
  believes,
}: AdminSoapParts): Readonly<Record<string, Handler>> {
  const users = (rpc: Pick<RpcCall, "operation" | "space">, container: string, call: Call): Answer => {
    forTheSite(call);
    try {
      return soapAnswer(writeRpcAnswer(rpc, gridmapUsers(files.listed(), container)));
    } catch (error) {
      if (error instanceof NameRefused) throw new SoapRefused(`container: ${error.message}`);
      throw error;
    }
  };

  const compatibility: Readonly<Record<string, Operation>> = {
    // Clients give the one parameter names of their own.
    getGridmapUsers: (rpc, call) => users(rpc, rpc.parameters[0]?.value ?? "", call),
  };

  const admin: Readonly<Record<string, Operation>> = {
    mapUser: (rpc, call) => {
      const question = questionFrom(
        { subject: parameter(rpc, "userDN"), host: parameter(rpc, "hostname"), fqan: parameter(rpc, "fqan") || null },
        believes(call.peer),
      );
      const answer = (mapping: Mapped): Answer =>
        soapAnswer(writeRpcAnswer(rpc, mapping.outcome === "account" ? mapping.account : null));
      const mapping = mapIdentity(question, call, "gums-admin");
      return mapping instanceof Promise ? mapping.then(answer) : answer(mapping);
    },
    generateGridMapfile: (rpc, call) => {
      forTheSite(call);
      const format = FILE_FORMATS.find(({ name }) => name === "grid-mapfile")!;
      return soapAnswer(writeRpcAnswer(rpc, files.make(format, readHost(parameter(rpc, "hostname")), null).text));
    },
  };

  const rpc = (operations: Readonly<Record<string, Operation>>): Handler =>
    soapCall(log, (call) => {
      const asked = readRpcCall(call.request.body);
      return operationOf(operations, asked)(asked, call);
    });

  return {
    "POST /gums/services/GUMSAdmin": rpc(admin),
    "POST /gums/services/VOMSCompatibility": rpc(compatibility),
    "GET /gums/services/VOMSCompatibility": soapCall(log, (call) => {
      const operation = call.query.get("method") ?? "";
      if (operation !== "getGridmapUsers") throw new SoapRefused("method: expected getGridmapUsers");
      return users({ operation, space: VOMS_COMPATIBILITY }, call.query.get("container") ?? "", call);
    }),
  };
}
