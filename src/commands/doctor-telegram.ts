import type { Config } from "#src/config.ts";
import type { Check } from "./doctor.ts";

const TELEGRAM_MS_MAX = 5_000;
const CLOCK_OFF_MS_MAX = 30_000;
const YEAR_MS = 365.25 * 86_400_000;
const FIRST_YEAR = 2026;
const LAST_YEAR = 2100;

/** @returns the time that the Bot API server gives too, in milliseconds; null where it gave none */
export async function checkTelegram({ telegram_api_root }: Config): Promise<{ check: Check; date: number | null }> {
  const name = "telegram";
  try {
    const answer = await fetch(telegram_api_root, { signal: AbortSignal.timeout(TELEGRAM_MS_MAX), redirect: "manual" });
    await answer.body?.cancel();
    const check: Check = { name, status: "ok", found: `${telegram_api_root} answers` };
    return { check, date: parseHttpDate(answer.headers.get("date")) };
  } catch (error) {
    const found = `${telegram_api_root} can't be reached: ${(error as Error).message}`;
    const advice =
      "let posthouse reach it (firewall, DNS, HTTPS_PROXY), or set TELEGRAM_API_ROOT to a Bot API server that it can reach; the sandbox works without";
    return { check: { name, status: "failed", found, advice }, date: null };
  }
}

/** @param telegram what time it is for the Bot API server, or null */
export function checkClock(now: number, telegram: number | null): Check {
  const name = "clock";
  const advice = "set the clock and keep it right with NTP: schedules, expiries and signatures go by it";
  const year = Math.floor(1970 + now / YEAR_MS);
  if (year < FIRST_YEAR || year > LAST_YEAR) return { name, status: "failed", found: `the year is ${year}`, advice };
  if (telegram === null) return { name, status: "ok", found: "plausible; there was nothing to compare it with" };
  const off = now - telegram;
  const found = `${Math.round(Math.abs(off) / 1000)} s ${off < 0 ? "behind" : "ahead of"} the Bot API server`;
  return Math.abs(off) > CLOCK_OFF_MS_MAX ? { name, status: "failed", found, advice } : { name, status: "ok", found };
}

function parseHttpDate(text: string | null): number | null {
  // oxlint-disable-next-line no-restricted-globals -- A date is parsed here, no time is taken.
  const at = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
