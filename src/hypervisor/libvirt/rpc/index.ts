/** Speaking to libvirt daemons: addresses, transports, calls, events. */
export { type HypervisorAddress, readAddress, type Transport } from "./address.ts";
export { CODES, ConnectionLost, type ConnectionOptions, LibvirtConnection, LibvirtError } from "./connection.ts";
export { type Packet, PacketReader, writePacket } from "./message.ts";
export * from "./procedures.ts";
export * from "./xdr.ts";
