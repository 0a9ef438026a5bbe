/** How a text says what is bold and what is a link: https://core.telegram.org/bots/api#formatting-options */
export type Markup = "HTML" | "MarkdownV2";

const htmlNames: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Writes plain text so that it stands for itself, wherever in a marked-up text it is put. */
export function escapeMarkup(plain: string, markup: Markup): string {
  return markup === "HTML"
    ? plain.replace(/[&<>"']/g, (character) => htmlNames[character]!)
    : plain.replace(/[\\_*[\]()~`>#+\-=|{}.!]/g, String.raw`\$&`);
}
