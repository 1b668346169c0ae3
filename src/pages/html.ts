/** Text that is safe to stand in a page. Whatever is put into a template is escaped, unless it was made by one: there is no other way in. */

export class Html {
  readonly text: string;
  private constructor(text: string) {
    this.text = text;
  }
  /** For texts of our own that have no place for anybody's words: a style sheet. */
  static raw(text: string): Html {
    return new Html(text);
  }
  static template(parts: TemplateStringsArray, values: readonly Content[]): Html {
    return new Html(parts.reduce((text, part, index) => text + written(values[index - 1]!) + part));
  }
}

export type Content = Html | string | number | null | undefined | false | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function written(content: Content): string {
  if (content instanceof Html) return content.text;
  if (content === null || content === undefined || content === false) return "";
  if (typeof content === "string" || typeof content === "number")
    return String(content).replace(/[&<>"']/g, (one) => ENTITIES[one]!);
  return content.map(written).join("");
}

/** A piece of a page. Attributes must stand between quotation marks. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return Html.template(parts, values);
}

export const raw = (text: string): Html => Html.raw(text);

/** A long name that may be broken into lines where its parts begin. */
export function breakable(name: string): Html {
  return html`${name.split(/(?=\/)/).map((part) => html`<wbr>${part}`)}`;
}

/** A piece of a sentence as a sentence. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
