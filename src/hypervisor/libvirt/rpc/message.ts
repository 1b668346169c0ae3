/** Packets of libvirt's RPC: a length, six numbers, and what the call takes or gives. `virnetprotocol.x`. */

/** The program that does the work, and the one that only asks whether somebody is still there. */
export const PROGRAMS = { remote: 0x20008086, keepAlive: 0x6b656570 } as const;
export const VERSION = 1;
export const TYPES = { call: 0, reply: 1, message: 2, stream: 3, streamHole: 6 } as const;
export const STATUSES = { ok: 0, error: 1, continue: 2 } as const;
export const KEEP_ALIVE = { ping: 1, pong: 2 } as const;

const HEADER = 28;
/** Longest packet either end sends, in octets. */
export const LONGEST_PACKET = 32 * 1024 * 1024;

export interface Packet {
  readonly program: number;
  readonly procedure: number;
  readonly type: number;
  readonly serial: number;
  readonly status: number;
  readonly body: Buffer;
}

export function writePacket({ program, procedure, type, serial, status, body }: Packet): Buffer {
  const packet = Buffer.alloc(HEADER + body.length);
  [packet.length, program, VERSION, procedure, type, serial, status].forEach((value, index) => {
    packet.writeUInt32BE(value, index * 4);
  });
  packet.set(body, HEADER);
  return packet;
}

/** Splits what comes into packets, wherever it was cut. */
export class PacketReader {
  #chunks: Buffer[] = [];
  #size = 0;
  #wanted = 4;

  /**
   * @returns the packets that are complete now
   * @throws Error when a length makes no sense: whoever is at the other end does not speak this
   */
  push(chunk: Buffer): readonly Packet[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#wanted) return [];
    let octets = Buffer.concat(this.#chunks);
    const packets: Packet[] = [];
    while (octets.length >= 4) {
      const length = octets.readUInt32BE(0);
      if (length < HEADER || length > LONGEST_PACKET) throw new Error(`a packet of ${length} octets`);
      if (octets.length < length) {
        this.#wanted = length;
        break;
      }
      packets.push(readPacket(octets.subarray(0, length)));
      octets = octets.subarray(length);
      this.#wanted = 4;
    }
    this.#chunks = [octets];
    this.#size = octets.length;
    return packets;
  }
}

function readPacket(octets: Buffer): Packet {
  const at = (index: number): number => octets.readUInt32BE(index * 4);
  if (at(2) !== VERSION) throw new Error(`version ${at(2)} of the protocol, expected ${VERSION}`);
  return {
    program: at(1),
    procedure: at(3),
    type: at(4),
    serial: at(5),
    status: at(6),
    body: octets.subarray(HEADER),
  };
}
