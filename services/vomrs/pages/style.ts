/** The pages' style sheet: the house's look, and what forms and menus need. */
import { BASE_STYLE } from "../../../src/pages/index.ts";

export const STYLE = `${BASE_STYLE}
.bar { background: var(--card); border-bottom: 1px solid var(--line); }
.bar > div { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; padding-top: .8rem; }
.brand { font-weight: 650; text-decoration: none; color: var(--ink); }
.who { margin-left: auto; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: .1rem .4rem; list-style: none; margin: .5rem 0 0 -.7rem; padding: 0; }
nav { flex-basis: 100%; }
nav a { display: block; padding: .45rem .7rem .55rem; text-decoration: none; color: var(--soft); border-bottom: 3px solid transparent; }
nav a:hover { color: var(--ink); }
nav a[aria-current] { color: var(--ink); border-color: var(--accent); font-weight: 600; }
.rules { white-space: pre-wrap; max-height: 22rem; font: inherit; user-select: auto; max-width: 46rem; }
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
.pages { display: flex; gap: 1rem; align-items: center; }
@media (max-width: 44rem) {
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
