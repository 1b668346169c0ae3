/** A `gums.config` against its schema: sections, elements, attributes and names, each mistake with its place. */
import { suggestion } from "../../../model/index.ts";
import { isName } from "../../reading.ts";
import { FQAN_MATCHES } from "../model.ts";
import { type ElementRule, SECTIONS } from "./schema.ts";
import type { ConfigMistake, XmlElement } from "./xml.ts";

/** Mistakes beyond these are not looked for. */
const MOST = 200;

/** Attributes whose values are few. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  acceptProxyWithoutFQAN: ["true", "false"],
  // Two older spellings, which the original takes too: "group" is vogroup, and nothing is exact.
  matchFQAN: [...FQAN_MATCHES, "group", ""],
  recyclable: ["true", "false"],
};

export interface LostAttribute {
  readonly element: XmlElement;
  readonly attribute: string;
  readonly consequence: string;
  readonly loud: boolean;
}

export class Document {
  readonly root: XmlElement;
  readonly mistakes: ConfigMistake[] = [];
  readonly lostAttributes: LostAttribute[] = [];
  private readonly sections = new Map<string, XmlElement>();
  private readonly names = new Map<string, Set<string>>();

  constructor(root: XmlElement) {
    this.root = root;
    if (root.name !== "gums") this.say(root, `expected the element gums, found ${root.name}`);
    this.readRoot();
    this.readSections();
    for (const { name } of SECTIONS) for (const element of this.elements(name)) this.checkElement(element);
  }

  say({ line, column }: XmlElement, says: string | (() => string)): void {
    if (this.mistakes.length >= MOST) return;
    this.mistakes.push({ line, column, says: typeof says === "string" ? says : says() });
  }

  elements(section: string): readonly XmlElement[] {
    return this.sections.get(section)?.children ?? [];
  }

  rule(element: XmlElement): ElementRule | null {
    for (const { elements } of SECTIONS) if (Object.hasOwn(elements, element.name)) return elements[element.name]!;
    return null;
  }

  nameOf(element: XmlElement): string {
    const { attributes } = element;
    return attributes.get("name")?.trim() ?? attributes.get("cn") ?? attributes.get("dn") ?? "";
  }

  /** @returns the entries of a list with commas */
  list(element: XmlElement, attribute: string): readonly string[] {
    const value = element.attributes.get(attribute) ?? "";
    return value
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "");
  }

  /** @returns names of a section's elements; one that is not there is a mistake */
  references(element: XmlElement, attribute: string, section: string): readonly string[] {
    const known = this.names.get(section) ?? new Set();
    return this.list(element, attribute).filter((name) => {
      // Past the last mistake that is shown, none is worth the search for what was meant.
      if (known.has(name) || this.mistakes.length >= MOST) return known.has(name);
      this.say(
        element,
        `${attribute}: ${section} has no ${JSON.stringify(name.slice(0, 80))}${suggestion(name, [...known])}`,
      );
      return false;
    });
  }

  private readRoot(): void {
    for (const [name, value] of this.root.attributes)
      if (name === "version") {
        if (!/^1\.3(\.\d+)*$/.test(value.trim()))
          this.say(this.root, `version: expected 1.3, found ${JSON.stringify(value.slice(0, 80))}`);
      } else if (name !== "bannedUserGroups")
        this.lostAttributes.push({
          element: this.root,
          attribute: name,
          consequence: "nothing is known of it",
          loud: false,
        });
  }

  private readSections(): void {
    const order = SECTIONS.map((one) => one.name);
    let last = -1;
    for (const section of this.root.children) {
      const place = order.indexOf(section.name);
      if (place < 0) this.say(section, () => `unknown element ${section.name}${suggestion(section.name, order)}`);
      else if (this.sections.has(section.name)) this.say(section, `${section.name} is given twice`);
      else {
        if (place < last) this.say(section, `expected ${section.name} before ${order[last]}`);
        last = Math.max(last, place);
        this.sections.set(section.name, section);
        for (const [attribute] of section.attributes)
          this.say(section, `${section.name} has no attribute ${attribute}`);
        this.readNames(section);
      }
    }
    for (const { name, needed } of SECTIONS)
      if (needed && !this.sections.has(name)) this.say(this.root, `${name} is missing`);
  }

  private readNames(section: XmlElement): void {
    const { elements } = SECTIONS.find((one) => one.name === section.name)!;
    const names = new Set<string>();
    this.names.set(section.name, names);
    for (const element of section.children) {
      if (!Object.hasOwn(elements, element.name)) {
        this.say(
          element,
          () => `${section.name} has no ${element.name}${suggestion(element.name, Object.keys(elements))}`,
        );
        continue;
      }
      const name = element.attributes.get("name")?.trim();
      if (name === undefined || section.name === "hostToGroupMappings") continue;
      const shown = JSON.stringify(name.slice(0, 80));
      if (!isName(name)) this.say(element, `${shown} is no name`);
      if (names.has(name)) this.say(element, `the name ${name} is given twice`);
      names.add(name);
    }
  }

  private checkElement(element: XmlElement): void {
    const rule = this.rule(element);
    if (rule === null) return;
    for (const child of element.children) this.say(child, `${element.name} holds no elements`);
    for (const [attribute, { needed }] of Object.entries(rule.attributes))
      if (needed && !element.attributes.get(attribute)?.trim()) {
        const blankWill = element.attributes.has(attribute) && VALUES[attribute]?.includes("");
        if (!blankWill) this.say(element, `${element.name}: ${attribute} is missing`);
      }
    if (element.name === "hostToGroupMapping" && element.attributes.has("cn") === element.attributes.has("dn"))
      this.say(element, "hostToGroupMapping: expected cn or dn, one of them");
    for (const [attribute, value] of element.attributes) this.checkAttribute(element, rule, attribute, value);
    if (element.attributes.has("persistenceFactory"))
      this.references(element, "persistenceFactory", "persistenceFactories");
  }

  private checkAttribute(element: XmlElement, rule: ElementRule, attribute: string, value: string): void {
    const values = VALUES[attribute];
    if (values && Object.hasOwn(rule.attributes, attribute) && !values.includes(value))
      this.say(
        element,
        `${attribute}: expected ${values.filter((one) => one !== "").join(", ")}, found ${JSON.stringify(value.slice(0, 80))}`,
      );
    // What is lost whole needs no list of its parts.
    if (rule.lost !== null) return;
    const known = Object.hasOwn(rule.attributes, attribute) ? rule.attributes[attribute]! : null;
    const consequence = known === null ? "nothing is known of it" : known.lost;
    if (consequence !== null && value.trim() !== "")
      this.lostAttributes.push({ element, attribute, consequence, loud: known?.loud ?? false });
  }
}
