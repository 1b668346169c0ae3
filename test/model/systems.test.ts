/** Tables of systems: the notations of the documents' table, slips that are carried on with, and mistakes, each at its place. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatDiagnostic, isSystemsFile, readSystems, type SystemsRow } from "../../src/model/index.ts";
import { HOUSE } from "../support/domus.ts";

const reading = (text: string) => readSystems({ file: "table.yaml", text });
const HEAD = "inventory: test\nrows:\n";

function table(text: string) {
  const found = reading(text);
  assert.ok(found.ok, found.ok ? "" : found.diagnostics.map(formatDiagnostic).join("\n"));
  return { ...found.inventory, warnings: found.warnings.map(formatDiagnostic) };
}

/** The one row of a table with these lines. */
function row(...lines: readonly string[]): SystemsRow & { readonly warnings: readonly string[] } {
  const read = table(`${HEAD}${lines.map((line, index) => `  ${index === 0 ? "-" : " "} ${line}\n`).join("")}`);
  return { ...read.rows[0]!, warnings: read.warnings };
}

function mistakes(text: string): readonly string[] {
  const found = reading(text);
  return found.ok ? [] : found.diagnostics.map(formatDiagnostic);
}

describe("the documents' notations", () => {
  const NAMES: readonly (readonly [string, readonly string[]])[] = [
    ["fgitbse", ["fgitbse"]],
    ["fermigrid[0-2]", ["fermigrid0", "fermigrid1", "fermigrid2"]],
    ["ress[1,2]", ["ress1", "ress2"]],
    ["gratia[1-3,5-6]", ["gratia1", "gratia2", "gratia3", "gratia5", "gratia6"]],
    ["gp (fnpcsrv[3-5])", ["fnpcsrv3", "fnpcsrv4", "fnpcsrv5"]],
    ["node[08-11]", ["node08", "node09", "node10", "node11"]],
    ["r[1-2]n[1,4]", ["r1n1", "r1n4", "r2n1", "r2n4"]],
    ["a.example.org, b-1", ["a.example.org", "b-1"]],
  ];
  for (const [said, names] of NAMES)
    test(`names: ${said}`, () => {
      const read = row(`system: ${said}`, `guests: ${names.length * 2}`);
      assert.deepEqual([read.hosts, read.physical, read.name, read.warnings], [names, names.length, said, []]);
    });

  const GUESTS: readonly (readonly [said: string, perHost: readonly number[], virtual: number])[] = [
    ["8+(6*6) = 44", [8, 6, 6, 6, 6, 6, 6], 44],
    ["2*5", [5, 5], 10],
    ["4+5+5+4+4+4 = 26", [4, 5, 5, 4, 4, 4], 26],
    ["2*(4+1)", [4, 1, 4, 1], 10],
    ["2 x 3", [3, 3], 6],
    ["[8, 7, 7]", [8, 7, 7], 22],
    ["0+0", [0, 0], 0],
  ];
  for (const [said, perHost, virtual] of GUESTS)
    test(`guests: ${said}`, () => {
      const read = row(`system: h[1-${perHost.length}]`, `guests: ${said}`);
      assert.deepEqual([read.perHost, read.virtual, read.warnings], [perHost, virtual, []]);
    });

  test("a number alone is a total, and on one machine that machine's", () => {
    assert.deepEqual(row("system: h[1-5]", "guests: 5").perHost, []);
    assert.deepEqual(row("system: h1", "guests: 5").perHost, [5]);
    assert.deepEqual(row("title: some", "physical: ~30", "guests: ~55"), {
      ...row("title: some", "physical: 30", "guests: 55"),
      about: true,
    });
  });

  test("what guests are for, in place of where they are", () => {
    const read = row("title: esx", "physical: 10", "guests: { D-Grid: 30, others: 50 }");
    assert.deepEqual(
      [read.virtual, read.perHost, read.groups],
      [
        80,
        [],
        [
          { title: "D-Grid", guests: 30 },
          { title: "others", guests: 50 },
        ],
      ],
    );
  });

  test("which machines hold pairs: all, none, a number, names", () => {
    const pairs = (said: string) => row("system: h[0-6]", "guests: 7*2", `pairs: ${said}`).pairs;
    assert.deepEqual(["true", "false", "3", "h[1-6]", "h2, h4"].map(pairs), [7, 0, 3, 6, 2]);
    assert.equal(row("system: h[0-6]", "guests: 7*2").pairs, 0);
  });
});

describe("slips: warned of at their place, and the totals stand", () => {
  const SLIPS: readonly (readonly [
    is: string,
    rows: string,
    says: readonly string[],
    physical: number,
    virtual: number,
  ])[] = [
    [
      "terms that do not sum to the total",
      "  - system: a[1-2]\n    guests: 2+3 = 6\n",
      ["table.yaml:4:13: rows[0].guests: the terms sum to 5, the total says 6: 6 are counted"],
      2,
      6,
    ],
    [
      "fewer terms than machines",
      "  - system: gratia[1-3,5-9]\n    physical: 8\n    guests: 2+3+5+(2*6) = 22\n",
      ["table.yaml:5:13: rows[0].guests: 5 terms for 8 machines: the total of 22 guests is kept"],
      8,
      22,
    ],
    [
      "another number of names than of machines",
      "  - system: a[1-3]\n    guests: 4\n    physical: 4\n",
      ["table.yaml:5:15: rows[0].physical: names 3 machines, but says 4: 4 are counted"],
      4,
      4,
    ],
    [
      "a name twice in a row",
      "  - system: a[1-2], a1\n    guests: 3\n",
      ["table.yaml:3:13: rows[0].system: names a1 twice"],
      3,
      3,
    ],
    [
      "rows that share machines",
      "  - system: fcdf[0-5]\n    guests: 6*1\n  - system: fcdf[0-2]\n    guests: 3*1\n",
      ["table.yaml:5:13: rows[1].system: fcdf0, fcdf1, fcdf2 stand in fcdf[0-5] (line 3) too: both rows are counted"],
      9,
      9,
    ],
  ];
  for (const [is, rows, says, physical, virtual] of SLIPS)
    test(is, () => {
      const read = table(`${HEAD}${rows}`);
      assert.deepEqual(read.warnings, says);
      assert.equal(
        read.rows.reduce((sum, one) => sum + one.physical, 0),
        physical,
      );
      assert.equal(
        read.rows.reduce((sum, one) => sum + one.virtual, 0),
        virtual,
      );
    });

  test("the documents' table has its two, and Karlsruhe's none", () => {
    const of = (file: string) => table(readFileSync(join(HOUSE, "sites", file), "utf8")).warnings;
    assert.deepEqual(
      of("fermigrid-2009-inventory.yaml").map((warning) => warning.replace(/^[^ ]+ /, "")),
      [
        "rows[1].guests: 5 terms for 8 machines: the total of 22 guests is kept",
        "rows[5].system: fcdf0, fcdf1, fcdf2 stand in fcdf[0-5] (line 36) too: both rows are counted",
      ],
    );
    assert.deepEqual(of("karlsruhe-2007-inventory.yaml"), []);
  });
});

test("nonsense: every mistake of a file at its place, all at once", () => {
  assert.deepEqual(
    mistakes(`inventory: X y
rows:
  - system: fermigrid[0-6
    physical: 7
    guests: 8+(6*6 = 44
  - system: a[3-1]
    guests: [1, x]
    pars: true
  - system: gw???
    guests: 5
  - system: b[1-3]
    guests: 3*2+
    pairs: b[3-4]
  - guests: 3
    physical: 0
  - system: c[1-2]
    guests: 2*2
    pairs: 7
  - system: d[1-2]
    guests: 2*2
    pairs: c[1-2]
  - system: "e;1"
    guests: -1
assumptions:
  watts-per-hst: 3
  cooling: 0.5
  years: 2.5
  currency: Euros
`),
    [
      'table.yaml:1:12: inventory: expected a name of small letters, digits and hyphens, found "X y"',
      "table.yaml:3:22: rows[0].system: this bracket is not closed",
      "table.yaml:5:20: rows[0].guests: expected ) here",
      "table.yaml:6:15: rows[1].system: 3-1 is no range of numbers",
      'table.yaml:7:17: rows[1].guests[1]: expected a whole number from 0 to 10000000, found "x"',
      'table.yaml:8:5: rows[1].pars: unknown key; did you mean "pairs"?',
      "table.yaml:9:13: rows[2].system: gw??? does not say how many machines it is: physical is missing",
      "table.yaml:12:17: rows[3].guests: expected a number of guests",
      "table.yaml:14:5: rows[4]: expected system, or title where nobody knows its machines by name",
      "table.yaml:15:15: rows[4].physical: expected a number from 1 to 100000, or about one such as ~30",
      "table.yaml:18:12: rows[5].pairs: 7 machines with pairs are more than the row's 2",
      "table.yaml:21:12: rows[6].pairs: c1, c2 is not in d[1-2]",
      'table.yaml:22:15: rows[7].system: ";" is in no name of a machine',
      "table.yaml:23:13: rows[7].guests: expected a number of guests",
      'table.yaml:25:3: assumptions.watts-per-hst: unknown key; did you mean "watts-per-host"?',
      'table.yaml:26:12: assumptions.cooling: expected a number from 1 to 10, found "0.5"',
      'table.yaml:27:10: assumptions.years: expected a whole number from 1 to 50, found "2.5"',
      'table.yaml:28:13: assumptions.currency: expected a currency such as EUR or €, found "Euros"',
    ],
  );
  assert.deepEqual(mistakes("inventory: a\nrows: []\n"), [
    "table.yaml:2:7: rows: expected at least 1 entry, found none",
  ]);
  assert.deepEqual(mistakes("inventory: a\nrows:\n  - system: a[0-999999]\n    guests: 1\n"), [
    "table.yaml:3:15: rows[0].system: more than 100000 machines",
  ]);
  assert.deepEqual(mistakes("inventory: a\nrows:\n  - system: a1\n    guests: 999999*9\n"), [
    "table.yaml:4:21: rows[0].guests: expected machines times guests, with 1 to 100000 machines",
  ]);
});

test("a table is told from a site file, and a broken file is judged as a site file", () => {
  for (const file of readdirSync(join(HOUSE, "sites")))
    assert.equal(
      isSystemsFile({ file, text: readFileSync(join(HOUSE, "sites", file), "utf8") }),
      file.endsWith("-inventory.yaml"),
      file,
    );
  assert.equal(isSystemsFile({ file: "x", text: "rows: []" }), true);
  assert.equal(isSystemsFile({ file: "x", text: "- a\n- b" }), false);
});

test("any text: a table or diagnostics with line and column, never an exception", () => {
  const words = [
    "system: ",
    "guests: ",
    "a[1-3]",
    "8+(6*6)",
    " = 44",
    "~",
    "(",
    ")",
    "*",
    "[",
    "]",
    "{",
    "?",
    ":",
    "\n",
    "  - ",
    "pairs: ",
    "true",
    "-1",
    "1e9",
    "0x10",
    "'",
    '"',
    ",",
    "\u0000",
  ];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 40 }),
      (parts) => {
        for (const text of [
          parts.join(""),
          `${HEAD}  - system: ${parts.join("")}\n    guests: 1\n`,
          `${HEAD}  - title: t\n    guests: ${parts.join("")}\n`,
        ]) {
          const found = reading(text);
          if (!found.ok) {
            assert.ok(found.diagnostics.length > 0);
            for (const one of found.diagnostics) assert.ok(one.line >= 1 && one.column >= 1 && one.says.length > 0);
          } else
            for (const one of found.inventory.rows)
              assert.ok(one.physical >= 1 && one.virtual >= 0 && one.pairs <= one.physical, JSON.stringify(one));
        }
      },
    ),
    { numRuns: 400 },
  );
});
