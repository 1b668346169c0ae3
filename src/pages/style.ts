/** One look for everything Domus shows on a page: calm, readable at any width, light or dark as the reader prefers; every pair of colours has a contrast of 4.5 at least. */
export const BASE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f7f7f4; --card: #ffffff; --ink: #1d2430; --soft: #525c6b; --line: #d7dae0; --field: #868f9c;
  --accent: #1f5c8a; --on-accent: #ffffff; --wash: #e8f0f6;
  --good: #1d6b3c; --good-wash: #e6f3ea; --bad: #a32a20; --bad-wash: #fbeae8; --warn: #7a5200; --warn-wash: #fbf1dc;
  --second: #b0520c; --fourth: #87307a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181e; --card: #1c222b; --ink: #e6e9ee; --soft: #a9b3c0; --line: #333c48; --field: #7a8594;
    --accent: #86bfea; --on-accent: #0e1a25; --wash: #202e3b;
    --good: #84d3a0; --good-wash: #1a2f23; --bad: #f2a199; --bad-wash: #3a2120; --warn: #e9c071; --warn-wash: #352b18;
    --second: #f0a35e; --fourth: #dfa0d6;
  }
}
* { box-sizing: border-box; }
html { font: 1rem/1.55 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; background: var(--paper); color: var(--ink); }
body { margin: 0; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -999rem; }
.hidden { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
main { padding-top: 1.75rem; padding-bottom: 3rem; }
footer { color: var(--soft); font-size: .875rem; padding-bottom: 2rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .35rem; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 .75rem; font-weight: 650; }
h3 { font-size: 1rem; margin: 0 0 .25rem; font-weight: 650; overflow-wrap: anywhere; }
p { margin: 0 0 .75rem; max-width: 42rem; overflow-wrap: anywhere; }
.lead { color: var(--soft); margin-bottom: 1.5rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem 1.4rem; margin: 0 0 1.25rem; }
.card > :last-child { margin-bottom: 0; }
.said { border-left: 5px solid var(--good); background: var(--good-wash); padding: .7rem 1rem; border-radius: 6px; margin: 0 0 1.25rem; }
.said.bad { border-color: var(--bad); background: var(--bad-wash); }
.said.warn { border-color: var(--warn); background: var(--warn-wash); }
.said p { margin: 0; }
.tag { display: inline-block; font-size: .8125rem; font-weight: 600; padding: .1rem .55rem; border-radius: 99px; background: var(--wash); color: var(--ink); white-space: nowrap; }
.tag.good { background: var(--good-wash); color: var(--good); }
.tag.bad { background: var(--bad-wash); color: var(--bad); }
.tag.warn { background: var(--warn-wash); color: var(--warn); }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1.25rem; margin: 0 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", monospace; font-size: .875em; overflow-wrap: anywhere; }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; margin: 0 0 1rem; overflow: auto; white-space: pre-wrap; user-select: all; }
.wide { overflow-x: auto; margin-bottom: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .5rem 1rem .5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 600; font-size: .875rem; white-space: nowrap; }
tr:last-child > td { border-bottom: 0; }
td.name { min-width: 9rem; }
td small { color: var(--soft); display: block; }
details { margin: 0 0 .9rem; }
details > summary { cursor: pointer; color: var(--accent); font-weight: 600; padding: .2rem 0; }
details[open] > summary { margin-bottom: .6rem; }
ol, ul.plain { padding-left: 1.3rem; margin: 0 0 1rem; max-width: 42rem; }
li { margin-bottom: .25rem; }
@media (max-width: 44rem) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
  main { padding-top: 1.1rem; }
  .card { padding: 1rem; }
}
`;

/** Beyond it, what reports have: tables of numbers and plots. Inks of plots are told apart by dashes too. */
export const REPORT_STYLE = `
main { max-width: 70rem; }
footer { max-width: 70rem; }
dl.facts { display: flex; flex-wrap: wrap; gap: .6rem 2.2rem; margin-bottom: 1.75rem; }
dl.facts div { min-width: 7rem; }
dl.facts dt { font-size: .8125rem; }
dl.facts dd { font-weight: 600; margin: 0; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .4rem; }
table { font-size: .9375rem; }
th, td { padding: .4rem 1rem .4rem 0; }
th[scope=row] { color: var(--ink); font-size: inherit; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
tr:last-child > th { border-bottom: 0; }
tfoot th, tfoot td { border-top: 2px solid var(--line); font-weight: 650; }
thead th, tbody + tfoot tr:first-child > * { border-bottom: 1px solid var(--line); }
.soft { color: var(--soft); font-size: .875rem; }
figure { margin: 0 0 1.5rem; }
figure .wide { margin-bottom: .25rem; }
figcaption { font-weight: 600; margin-bottom: .5rem; }
svg.plot { display: block; width: 100%; min-width: 34rem; max-width: 54rem; height: auto; }
svg text { font: 12px system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; fill: var(--ink); }
svg text.tick, svg text.label { fill: var(--soft); font-variant-numeric: tabular-nums; }
svg text.note { fill: var(--soft); font-style: italic; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .axis { stroke: var(--field); stroke-width: 1; }
svg .mark { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 5 4; }
svg .span { fill: var(--bad); opacity: .22; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .ink1 { --ink-here: var(--accent); } svg .ink2 { --ink-here: var(--second); } svg .ink3 { --ink-here: var(--good); }
svg .ink4 { --ink-here: var(--fourth); } svg .ink5 { --ink-here: var(--soft); } svg .ink6 { --ink-here: var(--bad); }
svg .line { stroke: var(--ink-here); } svg .dot, svg .bar-fill { fill: var(--ink-here); }
svg .line.ink2 { stroke-dasharray: 7 3; } svg .line.ink3 { stroke-dasharray: 2 2.5; } svg .line.ink4 { stroke-dasharray: 9 3 2 3; }
svg .line.ink5 { stroke-dasharray: 4 4; } svg .line.ink6 { stroke-dasharray: 12 3; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; padding: 0; margin: 0 0 .4rem; font-size: .875rem; }
.legend svg.key { width: 1.7rem; height: .65rem; margin-right: .45rem; }
svg.spark { width: 10rem; height: 1.75rem; vertical-align: middle; }
.spark-bar { fill: var(--accent); } .spark-bad { fill: var(--bad); }
svg.strip { height: 1.5rem; width: calc(var(--cells) * .5rem); min-width: calc(var(--cells) * .2rem); max-width: 100%; vertical-align: middle; }
.cell.good { fill: var(--good); } .cell.warn { fill: var(--warn); } .cell.bad { fill: var(--bad); } .cell.none { fill: var(--field); }
ul.plain li, ol li { overflow-wrap: anywhere; }
@media print {
  :root { color-scheme: light; }
  html { background: #fff; font-size: 11pt; }
  .card { border: 0; padding: 0; break-inside: avoid-page; }
  .skip { display: none; }
  figure, tr { break-inside: avoid; }
}
`;
