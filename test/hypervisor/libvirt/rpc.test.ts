/** libvirt's wire format, and what becomes of a connection whose other end does something else. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, it } from "node:test";
import fc from "fast-check";
import {
  ConnectionLost,
  type ConnectionOptions,
  domain,
  LibvirtConnection,
  LibvirtError,
  type Packet,
  PacketReader,
  PROCEDURES,
  readAddress,
  remoteError,
  typedParameter,
  writePacket,
  type Xdr,
  XdrFault,
  XdrReader,
  XdrWriter,
} from "../../../src/hypervisor/libvirt/rpc/index.ts";

const written = <Value>(type: Xdr<Value>, value: Value): Buffer => {
  const into = new XdrWriter();
  type.write(into, value);
  return into.done();
};
const uuid = Buffer.from("6695eb01f6a4830479aa97f2502e193f", "hex");

describe("XDR", () => {
  it("is what RFC 4506 and libvirt write: a domain, octet by octet", () => {
    const octets = written(domain, { name: "fg5x2", uuid, id: -1 });
    assert.equal(
      octets.toString("hex"),
      `00000005${Buffer.from("fg5x2").toString("hex")}000000${uuid.toString("hex")}ffffffff`,
    );
  });

  it("reads what it wrote, whatever the value", () => {
    const names = fc.string({ unit: "grapheme", maxLength: 40 });
    const domains = fc.record({
      name: names,
      uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((one) => Buffer.from(one)),
      id: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    });
    fc.assert(
      fc.property(domains, (value) => {
        const from = new XdrReader(written(domain, value));
        assert.deepEqual(domain.read(from), { ...value });
        assert.equal(from.left, 0);
      }),
    );
    const parameters = fc.oneof(
      fc.record({
        field: names,
        type: fc.constantFrom("int" as const, "boolean" as const),
        value: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      }),
      fc.record({
        field: names,
        type: fc.constant("ullong" as const),
        value: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      }),
      fc.record({ field: names, type: fc.constant("double" as const), value: fc.double({ noNaN: true }) }),
      fc.record({ field: names, type: fc.constant("string" as const), value: names }),
    );
    fc.assert(
      fc.property(parameters, (value) => {
        assert.deepEqual(typedParameter.read(new XdrReader(written(typedParameter, value))), { ...value });
      }),
    );
  });

  it("never reads more than there is, and never makes room for what is only claimed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        for (const type of [domain, remoteError, typedParameter, PROCEDURES.domainsAll.gives] as Xdr<unknown>[])
          try {
            type.read(new XdrReader(Buffer.from(octets)));
          } catch (error) {
            assert.ok(error instanceof XdrFault, String(error));
          }
      }),
    );
    const huge = Buffer.from("7fffffff00000000", "hex");
    assert.throws(() => PROCEDURES.domainsAll.gives.read(new XdrReader(huge)), /a list of 2147483647/);
    assert.throws(() => PROCEDURES.hostname.gives.read(new XdrReader(huge)), /a text of 2147483647/);
  });
});

describe("packets", () => {
  const packet = (serial: number, body: Buffer): Packet => ({
    program: 0x20008086,
    procedure: 1,
    type: 1,
    serial,
    status: 0,
    body,
  });
  it("are the same wherever octets are cut", () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(bodies, fc.array(fc.nat({ max: 300 }), { maxLength: 12 }), (all, cuts) => {
        const sent = all.map((body, serial) => packet(serial, Buffer.from(body)));
        const octets = Buffer.concat(sent.map(writePacket));
        const reader = new PacketReader();
        const places = [0, ...cuts.map((cut) => cut % (octets.length + 1)).sort((a, b) => a - b), octets.length];
        const read = places.slice(1).flatMap((end, index) => reader.push(octets.subarray(places[index]!, end)));
        assert.deepEqual(
          read.map(({ serial, body }) => [serial, Buffer.from(body)]),
          sent.map(({ serial, body }) => [serial, body]),
        );
      }),
    );
  });
});

describe("addresses", () => {
  const read: readonly (readonly [text: string, found: unknown])[] = [
    [
      "qemu:///system",
      { uri: "qemu:///system", driver: "qemu", transport: { kind: "unix", path: "/var/run/libvirt/libvirt-sock" } },
    ],
    [
      "qemu+unix:///system?socket=/a/b",
      { uri: "qemu:///system", driver: "qemu", transport: { kind: "unix", path: "/a/b" } },
    ],
    [
      "xen+tcp://10.0.0.1/system",
      { uri: "xen:///system", driver: "xen", transport: { kind: "tcp", host: "10.0.0.1", port: 16509 } },
    ],
    [
      "qemu+tls://[fd00::1]:4000/system?pkipath=/p",
      { uri: "qemu:///system", driver: "qemu", transport: { kind: "tls", host: "fd00::1", port: 4000, pki: "/p" } },
    ],
    [
      "qemu://host/system",
      { uri: "qemu:///system", driver: "qemu", transport: { kind: "tls", host: "host", port: 16514, pki: null } },
    ],
    [
      "lxc+ssh://root@host:2222/?keyfile=/k",
      {
        uri: "lxc:///",
        driver: "lxc",
        transport: { kind: "ssh", host: "host", port: 2222, user: "root", keyFile: "/k", path: null },
      },
    ],
  ];
  for (const [text, found] of read) it(text, () => assert.deepEqual(readAddress(text), found));
  const refused: readonly (readonly [text: string, says: RegExp])[] = [
    ["nonsense", /expected an address like/],
    ["qemu+carrier-pigeon://host/system", /cannot be reached by carrier-pigeon: expected unix, tcp, tls, ssh/],
    ["qemu+tls:///system", /tls needs a host: qemu\+tls:\/\/host\/system/],
    ["qemu+unix://host/system", /has no host/],
    ["qemu+ssh://root:secret@host/system", /a password has no place/],
    ["qemu+ssh://-oProxyCommand=x@host/system", /begins with a hyphen/],
  ];
  for (const [text, says] of refused) it(`refuses ${text}`, () => assert.match(String(readAddress(text)), says));
});

/** Answers as a daemon would that knows no authentication; everything else is up to the test. */
function daemon(
  answer: (packet: Packet, reply: (body: Buffer, status?: number) => void, socket: Socket) => void,
): Server {
  return createServer((socket) => {
    const packets = new PacketReader();
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      for (const packet of packets.push(chunk)) {
        const reply = (body: Buffer, status = 0): void =>
          void socket.write(writePacket({ ...packet, type: 1, status, body }));
        if (packet.program === 0x20008086 && packet.procedure === 66) reply(Buffer.from("00000000", "hex"));
        else if (packet.program === 0x20008086 && packet.procedure === 1) reply(Buffer.alloc(0));
        else answer(packet, reply, socket);
      }
    });
  });
}

describe("a connection", () => {
  const directory = mkdtempSync(join(tmpdir(), "lr-"));
  let server: Server | null = null;
  const sockets = new Set<Socket>();
  let number = 0;
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function connected(to: Server, options: ConnectionOptions = {}): Promise<LibvirtConnection> {
    const path = join(directory, String(number++));
    server = to;
    to.on("connection", (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => to.listen(path, resolve));
    return LibvirtConnection.open(`qemu+unix:///system?socket=${path}`, options);
  }
  const hostname = (name: string): Buffer => written(PROCEDURES.hostname.gives, name);

  it("gives each answer to the one who asked, whatever their order", async () => {
    const late: (() => void)[] = [];
    const to = daemon((packet, reply) => {
      late.push(() => reply(hostname(`host ${packet.serial}`)));
      if (late.length === 3) for (const one of late.reverse()) one();
    });
    const connection = await connected(to);
    const answers = await Promise.all([1, 2, 3].map(() => connection.call(PROCEDURES.hostname, null)));
    assert.deepEqual(answers, ["host 3", "host 4", "host 5"]);
    connection.close();
  });

  it("tells a no from a lost connection", async () => {
    const no = written(remoteError, {
      code: 42,
      origin: 10,
      message: "Domain not found",
      level: 2,
      domain: null,
      text1: null,
      text2: null,
      text3: null,
      number1: 0,
      number2: 0,
      network: null,
    });
    const connection = await connected(daemon((_packet, reply) => reply(no, 1)));
    await assert.rejects(
      connection.call(PROCEDURES.domainByName, "x"),
      (error) => error instanceof LibvirtError && error.code === 42,
    );
    assert.equal(connection.lost, null);
    connection.close();
    await assert.rejects(connection.call(PROCEDURES.hostname, null), ConnectionLost);
  });

  it("says so when an answer is something else, and goes on", async () => {
    let first = true;
    const connection = await connected(
      daemon((_packet, reply) => {
        reply(first ? Buffer.from("00000009", "hex") : hostname("here"));
        first = false;
      }),
    );
    await assert.rejects(connection.call(PROCEDURES.hostname, null), /its answer to hostname is not what was expected/);
    assert.equal(await connection.call(PROCEDURES.hostname, null), "here");
    connection.close();
  });

  it("ends what is under way when the daemon hangs up, and says which", async () => {
    const connection = await connected(daemon((_packet, _reply, socket) => socket.destroy()));
    const told = new Promise<ConnectionLost>((resolve) => connection.onLost(resolve));
    await assert.rejects(connection.call(PROCEDURES.hostname, null), /the daemon hung up/);
    assert.match((await told).message, /qemu:\/\/\/system: the daemon hung up/);
  });

  it("asks a silent daemon whether it is there, and gives it up when it does not say so", async () => {
    const connection = await connected(
      daemon(() => {}),
      { keepAlive: { every: 30, misses: 2 } },
    );
    await assert.rejects(connection.call(PROCEDURES.hostname, null), /the daemon is silent \(under way: hostname\)/);
  });

  it("is kept by a daemon that is slow and says that it is there", async () => {
    let pings = 0;
    const connection = await connected(
      daemon((packet, _reply, socket) => {
        if (packet.program !== 0x6b656570) return;
        socket.write(writePacket({ ...packet, procedure: 2 }));
        // Many times the silence that would end it; then the answer to the call before.
        if (++pings === 12)
          socket.write(
            writePacket({ ...packet, program: 0x20008086, procedure: 59, type: 1, serial: 3, body: hostname("late") }),
          );
      }),
      { keepAlive: { every: 20, misses: 1 } },
    );
    assert.equal(await connection.call(PROCEDURES.hostname, null), "late");
    connection.close();
  });

  it("notices who is no libvirt daemon", async () => {
    const to = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    await assert.rejects(connected(to), /whoever answers is no libvirt daemon: a packet of \d+ octets/);
  });

  it("says what it wants when a daemon wants a password", async () => {
    const to = createServer((socket) => {
      const packets = new PacketReader();
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        for (const packet of packets.push(chunk))
          socket.write(writePacket({ ...packet, type: 1, body: Buffer.from("0000000100000001", "hex") }));
      });
    });
    await assert.rejects(connected(to), /wants a password \(SASL\).*use TLS certificates or SSH/);
  });

  it("says where nobody listens", async () => {
    await assert.rejects(LibvirtConnection.open(`qemu+unix:///system?socket=${directory}/none`), (error) => {
      assert.ok(error instanceof ConnectionLost);
      assert.match(error.message, /none: .*ENOENT/);
      return true;
    });
  });
});
