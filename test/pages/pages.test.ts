/** The kit of pages: whatever is put in stays text, scales hold what they show, and the same page comes out each time. */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import {
  barPlot,
  formatNumber,
  html,
  linePlot,
  section,
  sparkline,
  standingPage,
  strip,
  tableOf,
} from "../../src/pages/index.ts";
import { scaleOf } from "../../src/pages/plots/scale.ts";

const EVIL = `"'><script>alert(1)</script><svg onload=x>&`;

it("nothing that is put in becomes markup, wherever it is put", () => {
  const pages = [
    standingPage({ title: EVIL, lead: EVIL, facts: [[EVIL, EVIL]], body: section(EVIL, EVIL, "id"), foot: EVIL }),
    tableOf({ caption: EVIL, columns: [{ head: EVIL }, { head: EVIL }], rows: [[EVIL, EVIL]], foot: [EVIL, EVIL] })
      .text,
    linePlot({
      title: EVIL,
      describe: EVIL,
      x: { label: EVIL, format: () => EVIL },
      y: { label: EVIL },
      series: [
        { name: EVIL, points: [[0, 1]] },
        { name: EVIL, points: [[1, 2]] },
      ],
      marks: [{ axis: "x", at: 1, says: EVIL }],
      spans: [{ from: 0, to: 1, says: EVIL }],
    }).text,
    barPlot({
      title: EVIL,
      describe: EVIL,
      x: { label: EVIL },
      bars: [{ name: EVIL, value: 1, says: EVIL }],
      marks: [{ at: 1, says: EVIL }],
    }).text,
    sparkline([1, 2], EVIL).text,
    strip([{ level: "bad", says: EVIL }], EVIL).text,
  ];
  for (const page of pages) {
    assert.doesNotMatch(page, /<script|<svg onload/);
    assert.ok(page.includes("&lt;script&gt;"));
  }
});

it("a scale holds every value it shows, and its marks are round and in order", () => {
  const values = fc.array(fc.double({ min: -1e6, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(values, fc.constantFrom("linear" as const, "log" as const), (shown, kind) => {
      const scale = scaleOf({ label: "", scale: kind }, shown);
      const places = shown.map(scale.at);
      for (const place of places) assert.ok(place >= 0 && place <= 1, String(place));
      const ticks = scale.ticks.map(({ value }) => value);
      assert.ok(ticks.length >= 2 && ticks.length <= 12, String(ticks));
      assert.deepEqual(
        ticks,
        [...ticks].sort((a, b) => a - b),
      );
      // What is larger never stands before what is smaller.
      const order = [...shown].sort((a, b) => a - b).map(scale.at);
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
    }),
  );
});

it("no plot has a place that is no number, whatever the values", () => {
  const odd = fc.constantFrom(0, -1, 1, 1e-9, 1e12, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(odd, odd), { maxLength: 6 }),
      fc.constantFrom("linear" as const, "log" as const),
      (points, scale) => {
        const drawn = linePlot({
          title: "t",
          describe: "d",
          x: { label: "x" },
          y: { label: "y", scale },
          series: [{ name: "s", points }],
        });
        const places = drawn.text.match(/\b(?:x|y|x1|x2|y1|y2|cx|cy|d|width|height)="[^"]*"/g) ?? [];
        assert.doesNotMatch(places.join(" "), /NaN|Infinity|undefined/);
      },
    ),
  );
});

it("numbers are written as people write them", () => {
  const written = [0, 0.256, 3, 12.345, 99.9, 100, 12_500, 77_760_000, 1e9].map(formatNumber);
  assert.deepEqual(written, ["0", "0.256", "3", "12.3", "99.9", "100", "12,500", "77.8 million", "1000 million"]);
  assert.equal(html`${0}${false}${null}${["a", 1]}`.text, "0a1");
});
