/** The only door outside: clock, files, processes, network. */
export * from "./bare-server.ts";
export * from "./behind-director.ts";
export * from "./clock.ts";
export * from "./fair-queue.ts";
export * from "./files.ts";
export * from "./lean-client.ts";
export * from "./listeners.ts";
export * from "./local-ports.ts";
export * from "./lock.ts";
export * from "./processes.ts";
export * from "./proxy-protocol.ts";
export * from "./quiet-background.ts";
export * from "./read-turns.ts";
export * from "./request.ts";
export * from "./tls-stream.ts";
