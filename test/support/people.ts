const firstNames = [
  "Sarah",
  "John",
  "Anna",
  "José",
  "Zoë",
  "Фёдор",
  "Ольга",
  "أحمد",
  "ليلى",
  "伟",
  "Lena",
  "Max",
  "Søren",
  "Ayşe",
  "Nguyễn",
  "Priya",
];
const lastNames = [
  "Miller",
  "Smith",
  "García",
  "Иванов",
  "Соколова",
  "الحسن",
  "李",
  "Weber",
  "Rossi",
  "Kowalski",
  "Øster",
  "Yılmaz",
  "Tran",
  "Patel",
];
const languages = ["en", "de", "es", "ru", "ar", "zh", "vi", "tr"];
const zones = ["Europe/London", "Europe/Berlin", "America/New_York", "Asia/Tashkent", "Asia/Shanghai"];
const plans = ["starter", "builder", "professional"];

/** A tag that one person in a hundred has. */
export const RARE_TAG = "cohort-42";
/** A tag that one person in ten has. */
export const COMMON_TAG = "vip";

export interface Person {
  external_id: string;
  username: string;
  name: string;
  telegram_id?: number;
  email?: string;
  phone?: string;
  language: string;
  timezone: string;
  tags: string[];
  fields: { plan: string };
}

/** Mixes a number of a sequence with its seed: https://en.wikipedia.org/wiki/MurmurHash#Algorithm (the finalizer) */
function mix(seed: number, n: number): number {
  let hash = Math.imul(n + 0x9e3779b9, 0x85ebca6b) ^ seed;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * The n-th of as many people as one likes: the same for the same seed, and nobody twice. Half have a telephone, a third a Telegram
 * id, two thirds an address; all have a username, a name, two tags or three, and a plan.
 * @param n from 0 up to 99,999,999
 */
export function personOf(n: number, seed = 1): Person {
  const draw = (salt: number, most: number) => mix(seed + salt, n) % most;
  const [first, last] = [firstNames[draw(1, firstNames.length)]!, lastNames[draw(2, lastNames.length)]!];
  return {
    external_id: `p${n}`,
    username: `person_${n}`,
    name: `${first} ${last}${draw(3, 1_000)}`,
    ...(draw(4, 3) === 0 ? { telegram_id: 1_000_000_000 + n } : {}),
    ...(draw(5, 3) === 0 ? {} : { email: `person.${n}@example${draw(6, 50)}.com` }),
    ...(draw(7, 2) === 0 ? { phone: `+447${String(n).padStart(9, "0").replace(/^0/, "9")}` } : {}),
    language: languages[draw(8, languages.length)]!,
    timezone: zones[draw(9, zones.length)]!,
    tags: [`cohort-${draw(10, 100)}`, `source-${draw(11, 7)}`, ...(draw(12, 10) === 0 ? [COMMON_TAG] : [])],
    fields: { plan: plans[draw(13, plans.length)]! },
  };
}

/** The custom field that they have. */
export const FIELD = { key: "plan", label: "Plan", type: "choice", options: plans };

/** People as a file that an import takes, some lines at a time. */
export function* csvOfPeople(first: number, count: number, seed = 1): Generator<string> {
  let text = "external_id,username,name,telegram_id,email,phone,language,timezone,tags,plan\r\n";
  for (let n = first; n < first + count; n++) {
    const { external_id, username, name, telegram_id = "", email = "", phone = "", language, timezone, tags, fields } = personOf(n, seed);
    text += `${[external_id, username, name, telegram_id, email, phone, language, timezone, tags.join(";"), fields.plan].join(",")}\r\n`;
    if (text.length < 60_000) continue;
    yield text;
    text = "";
  }
  yield text;
}
