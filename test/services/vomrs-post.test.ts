/** Who sends an e-mail when a copy is gone, and when none is sent: what is due, who takes it over, and servers that are not who they say. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Follower, type RecordedEvent, type Records, RecordsError } from "../../services/records/index.ts";
import { writeWord } from "../../services/vo/index.ts";
import { Chronicle } from "../../services/vomrs/chronicle.ts";
import { Mailer, NotSent, nameOf } from "../../services/vomrs/mail/mailer.ts";
import { dueNotices, type Notice } from "../../services/vomrs/mail/notices.ts";
import { Post } from "../../services/vomrs/mail/post.ts";
import type { MailRule } from "../../src/recipes/index.ts";
import { SmtpHouse, type SmtpOptions } from "./smtp-house.ts";
import { address, type Identity, Stage } from "./stage.ts";
import { definitions, FERMILAB } from "./vomrs-world.ts";

const VOS = definitions(FERMILAB);

/** Records of one database that two copies see. */
class SharedRecords implements Records {
  readonly events: RecordedEvent[] = [];
  away = false;
  async append(_stream: string, fields: Readonly<Record<string, string>>, counter: number): Promise<RecordedEvent> {
    if (this.away) throw new RecordsError("away", "the database is away");
    const event = {
      origin: 1,
      seq: this.events.length + 1,
      counter: Math.max(counter, this.events.length) + 1,
      at: new Date().toISOString(),
      fields,
    };
    this.events.push(event);
    return event;
  }
  async since(_stream: string, cursor: Readonly<Record<string, number>>): Promise<readonly RecordedEvent[]> {
    if (this.away) throw new RecordsError("away", "the database is away");
    return this.events.slice(cursor["1"] ?? 0);
  }
  renew(): void {}
  async close(): Promise<void> {}
}

describe("who sends", { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), "domus-post-"));
  const followers: Follower<Chronicle>[] = [];
  after(async () => {
    // A snapshot may be on its way to the disk.
    for (const follower of followers) await follower.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function copiesOn(records: SharedRecords, takeover: number) {
    return ["v1", "v2"].map((guest) => {
      const sent: Notice[] = [];
      const follower = new Follower({
        stream: "vo",
        fold: new Chronicle(VOS),
        records,
        file: join(directory, `${guest}-${Math.random()}`),
      });
      followers.push(follower);
      const post = new Post({
        follower,
        mailer: {
          send: async (notice) => {
            sent.push(notice);
          },
        },
        url: "https://vomrs:8443",
        operators: null,
        code: () => "0".repeat(32),
        guest,
        copies: ["v1", "v2"],
        log: () => {},
        takeover,
      });
      return { follower, post, sent };
    });
  }

  async function suspended(follower: Follower<Chronicle>, count: number): Promise<void> {
    for (let number = 0; number < count; number++) {
      const key = `p-${number}`;
      const about = { vo: "fermilab", actor: "olga" };
      await writeWord(follower, {
        ...about,
        kind: "person",
        key,
        action: "set",
        value: { name: key, email: `${key}@example.org` },
      });
      await writeWord(follower, { ...about, kind: "application", key, action: "approved", value: { until: null } });
    }
  }

  it("each has its part; what the other does not send is taken over after a while, and only then", async () => {
    const records = new SharedRecords();
    const [one, two] = copiesOn(records, 3600_000);
    await one!.follower.poll();
    await suspended(one!.follower, 20);
    await two!.follower.poll();
    await one!.post.look();
    const first = one!.sent.length;
    assert.ok(first > 2 && first < 18, `${first} of 20`);
    await one!.post.look();
    assert.equal(one!.sent.length, first, "once");
    // The other one never comes, and what is its part has waited long enough.
    const [later] = copiesOn(records, 0);
    await later!.follower.poll();
    await later!.post.look();
    assert.equal(one!.sent.length + later!.sent.length, 20);
    await two!.follower.poll();
    await two!.post.look();
    assert.equal(two!.sent.length, 0, "and when it comes, nothing is left");
    assert.deepEqual(two!.post.about(), { waiting: 0, failing: 0, says: null });
  });

  it("while the database is out of sight nothing is sent; what was sent and not recorded is recorded, not sent again", async () => {
    const records = new SharedRecords();
    const [one] = copiesOn(records, 0);
    await one!.follower.poll();
    await suspended(one!.follower, 1);
    records.away = true;
    await one!.follower.poll();
    await one!.post.look();
    assert.equal(one!.sent.length, 0);
    records.away = false;
    await one!.follower.poll();
    // It goes away between sending and recording.
    const append = records.append.bind(records);
    records.append = async () => {
      throw new RecordsError("unknown", "it broke");
    };
    one!.post.changed();
    await one!.post.look();
    assert.deepEqual([one!.sent.length, one!.post.about().waiting], [1, 1]);
    records.append = append;
    await new Promise((resolve) => setTimeout(resolve, 5100));
    await one!.post.look();
    assert.equal(one!.sent.length, 1);
    assert.equal(records.events.filter(({ fields }) => fields.kind === "notice").length, 1);
  });

  it("an e-mail that nobody is there for is recorded as such; what happened long ago is told to nobody", async () => {
    const records = new SharedRecords();
    const [one] = copiesOn(records, 0);
    await one!.follower.poll();
    await writeWord(one!.follower, {
      vo: "fermilab",
      kind: "application",
      key: "p-x",
      action: "confirmed",
      actor: "olga",
    });
    await one!.post.look();
    const notice = records.events.at(-1)!.fields;
    assert.deepEqual(
      [notice.kind, notice.action, notice.reason],
      ["notice", "nobody", "no address is known of whom it is for"],
    );
    const facts = one!.follower.merged.facts("fermilab");
    const old = dueNotices(VOS[0]!, facts, Date.now() + 8 * 86_400_000, { url: "", operators: null, code: () => "" });
    assert.deepEqual(old, []);
    assert.equal(nameOf({ vo: "a", person: "b", what: "c" }), nameOf({ vo: "a", person: "b", what: "c" }));
  });
});

describe("whom it is sent through", { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), "domus-mailer-"));
  const where = address(21);
  let stage: Stage;
  let good: Identity;
  let elsewhere: Identity;
  before(async () => {
    stage = await Stage.open();
    good = await stage.identity("smtp", "guest", [where]);
    elsewhere = await stage.identity("other", "guest", [address(22)]);
    writeFileSync(join(directory, "ca.pem"), good.ca);
    writeFileSync(join(directory, "password"), "secret");
  });
  after(async () => {
    await stage?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const NOTICE: Notice = {
    vo: "fermilab",
    person: "p-1",
    what: "approved 1",
    due: 0,
    to: ["alice@example.org"],
    letter: {
      kind: "approved",
      name: "Alice",
      title: "Fermilab\r\nBcc: evil@example.org",
      about: "for good",
      reason: "a\r\n.\r\nb",
      link: "https://vomrs:8443/",
    },
  };
  const rule = (port: number, more: Partial<MailRule> = {}): MailRule => ({
    server: where,
    port,
    tls: "starttls",
    from: "vomrs@example.org",
    operators: null,
    authority: join(directory, "ca.pem"),
    login: null,
    ...more,
  });
  async function through(options: Partial<SmtpOptions>, more: Partial<MailRule> = {}) {
    const house = await SmtpHouse.open({ ...good, address: where, ...options });
    try {
      await new Mailer(rule(house.port, more)).send(NOTICE);
      return house.received;
    } catch (error) {
      assert.ok(error instanceof NotSent, String(error));
      assert.equal(house.received.length, 0);
      return error.message;
    } finally {
      await house.close();
    }
  }

  it("with STARTTLS, with TLS from the first octet, with a login", async () => {
    for (const [options, more] of [
      [{}, {}],
      [{ secure: true }, { tls: "tls" }],
      [
        { login: { user: "u", password: "secret" } },
        { login: { user: "u", passwordFile: join(directory, "password") } },
      ],
    ] as const) {
      const received = await through(options, more);
      assert.ok(Array.isArray(received), String(received));
      const [letter] = received as Exclude<typeof received, string>;
      assert.equal(letter!.secure, true);
      assert.deepEqual(letter!.to, ["alice@example.org"]);
      assert.equal(letter!.fields.bcc, undefined);
      assert.equal(letter!.fields.subject, "You are a member of Fermilab Bcc: evil@example.org");
      assert.match(letter!.text, /\n {4}a \. b\n/);
    }
  });

  it("never through a server that is not who it says, does not encrypt, or knows another password", async () => {
    const strangers = await Stage.open();
    const stranger = await strangers.identity("smtp", "guest", [where]);
    await strangers.close();
    assert.match(String(await through(stranger)), /certificate|issuer/i);
    assert.match(String(await through(elsewhere)), /altnames|does not match/i);
    assert.match(String(await through({ plain: true })), /STARTTLS/i);
    assert.match(
      String(
        await through(
          { login: { user: "u", password: "other" } },
          { login: { user: "u", passwordFile: join(directory, "password") } },
        ),
      ),
      /login/i,
    );
    assert.match(String(await through({}, { authority: join(directory, "missing.pem") })), /ENOENT/);
  });
});
