import { canonicalJson } from "#src/core/json.ts";
import type { Json } from "./openapi.ts";

type Section = "schemas" | "responses" | "parameters" | "headers" | "securitySchemes";

/** What operations share, gathered as they name it, so that nothing stands in the document that nothing uses. */
export interface Components {
  /**
   * Keeps a component under its name.
   * @returns the reference to write in its place
   * @throws Error when the name is taken by something that differs
   */
  add(section: Section, name: string, value: Json): { $ref: string };
  /** A reference to a schema that has yet to be added. */
  refer(name: string): { $ref: string };
  /** @throws Error when a schema was referred to and never added */
  finish(): Json;
}

export function createComponents(): Components {
  const sections: Partial<Record<Section, Json>> = {};
  const referred = new Set<string>();
  const refer = (section: Section, name: string) => ({ $ref: `#/components/${section}/${name}` });
  return {
    add(section, name, value) {
      const kept = (sections[section] ??= {});
      const before = kept[name];
      if (before !== undefined && canonicalJson(before) !== canonicalJson(value)) {
        throw new Error(`two different ${section} of the reference are named ${name}`);
      }
      kept[name] = value;
      return refer(section, name);
    },
    refer(name) {
      referred.add(name);
      return refer("schemas", name);
    },
    finish() {
      const missing = [...referred].filter((name) => sections.schemas?.[name] === undefined);
      if (missing.length > 0) throw new Error(`the reference refers to schemas that no operation holds: ${missing.join(", ")}`);
      return sections;
    },
  };
}
