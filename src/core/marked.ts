/** What a text's markup says of a part of it. */
export type Style =
  | { kind: "bold" | "italic" | "underline" | "strike" | "spoiler" | "code" }
  | { kind: "pre"; language: string }
  | { kind: "quote"; collapsed: boolean }
  | { kind: "link"; address: string }
  | { kind: "emoji"; id: string }
  | { kind: "time"; unix: string; format: string };

/** A part of a text. In UTF-16 code units, as Telegram counts, and JavaScript. */
export interface Styled {
  offset: number;
  length: number;
  style: Style;
}

/** A text without its markup, and what that said. */
export interface Marked {
  text: string;
  styled: Styled[];
}
