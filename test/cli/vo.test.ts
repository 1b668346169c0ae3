/** `domus vo …`: each command is an operation of VOMRS, with the fields that operation has; help shows how. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Command } from "commander";
import { OPERATIONS as VOMRS } from "../../services/vomrs/operations/index.ts";
import { addVo, VO_OPERATIONS } from "../../src/cli/commands/vo.ts";

const FLAGS = {
  ca: "/CN=CA",
  fqan: ["/fermilab/nova"],
  name: "Alice",
  email: "a@example.org",
  institution: "Fermilab",
  until: "never",
  state: "member",
  search: "alice",
  unproven: true,
  reason: "because",
};

describe("domus vo", () => {
  for (const { name, call, changes, arguments: words, body, options = [] } of VO_OPERATIONS)
    it(`${name} is ${call} of VOMRS`, () => {
      if (call === "organizations") return;
      const operation = VOMRS.get(call);
      assert.ok(operation, `VOMRS has no ${call}`);
      assert.equal(operation.changes, changes);
      assert.ok(operation.who.includes("operator"), "an operator may");
      const given = Object.fromEntries(
        Object.entries(FLAGS).filter(([flag]) =>
          options.some(([text]) => text.startsWith(`--${flag} `) || text === `--${flag}`),
        ),
      );
      const sent =
        body?.(
          words.map((_, at) => `word ${at}`),
          given,
        ) ?? {};
      const fields = Object.entries(sent).flatMap(([field, value]) => (value === undefined ? [] : [field]));
      for (const field of fields) assert.ok(Object.hasOwn(operation.fields, field), `${call} has no field ${field}`);
      for (const [field, { required }] of Object.entries(operation.fields))
        if (required) assert.ok(fields.includes(field), `${call} needs ${field}`);
    });

  it("shows an example of each command, and each of them can be read", () => {
    const program = new Command("domus").exitOverride();
    addVo(program);
    for (const command of program.commands[0]!.commands) {
      let help = "";
      command.configureOutput({
        writeOut: (text) => {
          help += text;
        },
      });
      command.outputHelp();
      assert.match(help, new RegExp(`\\nExample:\\n {2}domus vo ${command.name()}`));
    }
  });
});
