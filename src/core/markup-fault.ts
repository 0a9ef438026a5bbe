/** Why Telegram would refuse a marked-up text. */
export class MarkupFault extends Error {
  /** @param at where it is, as an index into the text; null for its end */
  constructor(
    reason: string,
    readonly at: number | null,
  ) {
    super(reason);
    this.name = "MarkupFault";
  }

  /** In words, with the place as a reader counts: characters from 1 on. */
  in(text: string): string {
    if (this.at === null) return `${this.message}.`;
    return `${this.message} (character ${Array.from(text.slice(0, this.at)).length + 1}).`;
  }
}

/** The number that a text is, in 64 bits and not 0. */
export function isIdentifier(text: string | null): boolean {
  return text !== null && /^-?0*\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}
