import { foldText } from "#src/core/search-text.ts";

/**
 * Words that as a whole answer opt out, and those that take it back. They are what people know from text messages: STOP and
 * UNSUBSCRIBE are named by law (47 CFR 64.1200(a)(10)), STOP is what carriers print in most of Europe, ARRET is Canada's, BAJA and
 * PARE are those of Latin America, 退订 is China's, הסר is Israel's. Left out are words that answer a bot's question as well, such
 * as CANCEL, END, QUIT, ANNULLA, SAIR and YES, and those that fold into another word, as Hindi and Thai ones do.
 */
const stops = `
stop|stopall|stop all|unsubscribe|opt out|optout|opt-out
stopp|abmelden|abbestellen
arrêt|arrêter|arrêtez|désabonner|se désabonner|désinscription|désinscrire
baja|alto|parar|pare|detener|descadastrar|disiscrivimi
afmelden|avsluta|avmeld|afmeld|lopeta|wypisz|odhlásit|leiratkozás|dezabonare|dur|berhenti
стоп|отписаться|отпишись|відписатися|отпиши ме|στοπ|διακοπή
توقف|إيقاف|أوقف|إلغاء الاشتراك|הסר|הסירו
停止|退订|退訂|取消订阅|取消訂閱|配信停止|수신거부|중지
`;
const starts = `
start|unstop|subscribe|opt in|optin|opt-in
anmelden|reprendre|réabonner|alta|iniciar|inizia|aanmelden|başla
старт|подписаться|підписатися|ابدأ|اشترك|اشتراك|开始|開始|订阅|訂閱|시작
`;

const plainOf = (text: string) => foldText(text).replace(AROUND, "").replace(/\s+/g, " ");
/** White space, punctuation, emoji and invisible characters, at either end. */
const AROUND = /^[\p{P}\p{S}\p{Z}\p{C}]+|[\p{P}\p{S}\p{Z}\p{C}]+$/gu;
const setOf = (words: string): ReadonlySet<string> => new Set(words.trim().split(/[|\n]/).map(plainOf));

export const stopWords = setOf(stops);
export const startWords = setOf(starts);

/** What a text asks for if it is nothing but such a word, whatever its case, accents and what stands around it. */
export function readReply(text: string): "stop" | "start" | null {
  const plain = plainOf(text);
  if (stopWords.has(plain)) return "stop";
  return startWords.has(plain) ? "start" : null;
}
