/** The pages' one style sheet: calm, readable at any width, light or dark as the reader prefers; every pair of colours has a contrast of 4.5 at least. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f7f7f4; --card: #ffffff; --ink: #1d2430; --soft: #525c6b; --line: #d7dae0; --field: #868f9c;
  --accent: #1f5c8a; --on-accent: #ffffff; --wash: #e8f0f6;
  --good: #1d6b3c; --good-wash: #e6f3ea; --bad: #a32a20; --bad-wash: #fbeae8; --warn: #7a5200; --warn-wash: #fbf1dc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181e; --card: #1c222b; --ink: #e6e9ee; --soft: #a9b3c0; --line: #333c48; --field: #7a8594;
    --accent: #86bfea; --on-accent: #0e1a25; --wash: #202e3b;
    --good: #84d3a0; --good-wash: #1a2f23; --bad: #f2a199; --bad-wash: #3a2120; --warn: #e9c071; --warn-wash: #352b18;
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
.bar { background: var(--card); border-bottom: 1px solid var(--line); }
.bar > div, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
.bar > div { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; padding-top: .8rem; }
.brand { font-weight: 650; text-decoration: none; color: var(--ink); }
.who { margin-left: auto; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: .1rem .4rem; list-style: none; margin: .5rem 0 0 -.7rem; padding: 0; }
nav { flex-basis: 100%; }
nav a { display: block; padding: .45rem .7rem .55rem; text-decoration: none; color: var(--soft); border-bottom: 3px solid transparent; }
nav a:hover { color: var(--ink); }
nav a[aria-current] { color: var(--ink); border-color: var(--accent); font-weight: 600; }
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
.rules { white-space: pre-wrap; max-height: 22rem; font: inherit; user-select: auto; max-width: 46rem; }
.wide { overflow-x: auto; margin-bottom: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .5rem 1rem .5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 600; font-size: .875rem; white-space: nowrap; }
tr:last-child > td { border-bottom: 0; }
td.name { min-width: 9rem; }
td small { color: var(--soft); display: block; }
form { margin: 0; }
.field { margin: 0 0 1rem; max-width: 34rem; }
label, legend { display: block; font-weight: 600; margin-bottom: .2rem; }
.optional { font-weight: 400; color: var(--soft); }
.help { color: var(--soft); font-size: .875rem; margin: 0 0 .3rem; }
.wrong { color: var(--bad); font-weight: 600; font-size: .875rem; margin: 0 0 .3rem; }
input, select, textarea, button { font: inherit; color: inherit; }
input:not([type=checkbox]), select, textarea { width: 100%; background: var(--card); border: 1px solid var(--field); border-radius: 6px; padding: .5rem .65rem; }
textarea { min-height: 5.5rem; resize: vertical; }
textarea.pem { font-family: ui-monospace, monospace; font-size: .8125rem; min-height: 8rem; }
[aria-invalid=true] { border-color: var(--bad) !important; border-width: 2px !important; }
.check { display: flex; gap: .6rem; align-items: start; }
.check input { margin: .3rem 0 0; width: 1.1rem; height: 1.1rem; flex: none; accent-color: var(--accent); }
.check label { font-weight: 400; margin: 0; }
button, .button { display: inline-block; cursor: pointer; font-weight: 600; border-radius: 6px; padding: .5rem 1.1rem; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); text-decoration: none; }
button:hover, .button:hover { filter: brightness(1.08); }
button.quiet { background: transparent; color: var(--accent); border-color: var(--line); font-weight: 500; padding: .3rem .8rem; }
button.danger { background: transparent; color: var(--bad); border-color: var(--bad); }
.row { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: end; }
.row .field { margin: 0; flex: 1 1 12rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem 1.75rem; }
td form { display: inline-block; margin: 0 .3rem .3rem 0; }
td details { margin: 0 0 .3rem; }
td details > summary { font-weight: 500; }
td details form { display: block; min-width: 13rem; margin-bottom: .6rem; }
details { margin: 0 0 .9rem; }
details > summary { cursor: pointer; color: var(--accent); font-weight: 600; padding: .2rem 0; }
details[open] > summary { margin-bottom: .6rem; }
ol, ul.plain { padding-left: 1.3rem; margin: 0 0 1rem; max-width: 42rem; }
li { margin-bottom: .25rem; }
.pages { display: flex; gap: 1rem; align-items: center; }
@media (max-width: 44rem) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
  main { padding-top: 1.1rem; }
  .card { padding: 1rem; }
  .who { margin-left: 0; flex-basis: 100%; }
  table, tbody, tr, td { display: block; width: 100%; }
  thead { position: absolute; left: -999rem; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  tr:last-child { border-bottom: 0; }
  td { border: 0; padding: .15rem 0; overflow-wrap: anywhere; }
  td:empty { display: none; }
  td[data-head]::before { content: attr(data-head); display: block; color: var(--soft); font-size: .8125rem; }
}
`;
