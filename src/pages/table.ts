/** Tables that stay readable on a telephone and to somebody who cannot see them. */
import { type Content, type Html, html } from "./html.ts";

export interface Column {
  readonly head: string;
  /** Numbers stand at the right, so that they can be compared. */
  readonly number?: boolean;
}

export interface TableOptions {
  /** What the table is; read before it. Shown unless `hidden`. */
  readonly caption: string;
  readonly hideCaption?: boolean;
  readonly columns: readonly Column[];
  /** The first cell of each row is its name. */
  readonly rows: readonly (readonly Content[])[];
  /** Sums, set apart. */
  readonly foot?: readonly Content[];
}

export function tableOf({ caption, hideCaption, columns, rows, foot }: TableOptions): Html {
  const cell = (content: Content, index: number): Html => {
    const { head, number } = columns[index]!;
    const kind = number ? "number" : "";
    return index === 0
      ? html`<th scope="row" class="${kind}">${content}</th>`
      : html`<td class="${kind}" data-head="${head}">${content}</td>`;
  };
  const row = (cells: readonly Content[]): Html => html`<tr>${cells.map(cell)}</tr>
`;
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0"><table><caption class="${hideCaption ? "hidden" : ""}">${caption}</caption>
<thead><tr>${columns.map(({ head, number }) => html`<th scope="col" class="${number ? "number" : ""}">${head}</th>`)}</tr></thead>
<tbody>${rows.map(row)}</tbody>${foot && html`<tfoot>${row(foot)}</tfoot>`}</table></div>
`;
}
