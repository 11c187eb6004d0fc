/**
 * Writes instants for people: relative, exact, as a period.
 * Reads no clock: the present comes in as a parameter.
 */
import type { Locale } from "./message";

/** English is British, in dates as in the catalogue. */
function tagOf(locale: Locale): string {
  return locale === "en" ? "en-GB" : locale;
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** Says on which side of the present an instant lies. */
export type Tense = "past" | "future";

/**
 * Says how far `instant` is from `now`, such as "il y a 5 minutes"; under a minute it is `justNow`.
 * A clock that differs from the service's never turns the past into the future: `tense` decides.
 */
export function relative(instant: Date, now: Date, tense: Tense, locale: Locale, justNow: string): string {
  const distance = (instant.getTime() - now.getTime()) / 1000;
  const seconds = tense === "past" ? Math.min(distance, 0) : Math.max(distance, 0);
  const format = new Intl.RelativeTimeFormat(tagOf(locale), { numeric: "auto" });
  for (const [unit, length] of STEPS) {
    const amount = Math.trunc(seconds / length);
    if (amount !== 0) return format.format(amount, unit);
  }
  // A next try in 40 seconds is not "just now": what lies ahead is told in minutes, rounded up.
  return seconds > 5 ? format.format(1, "minute") : justNow;
}

/** Says an instant exactly, to the second, in the reader's time zone. */
export function exact(instant: Date, locale: Locale): string {
  return asSaid(
    new Intl.DateTimeFormat(tagOf(locale), { dateStyle: "full", timeStyle: "medium" }).format(instant),
    locale,
  );
}

/** Says the day of an instant, such as "12 mars 2026". */
export function day(instant: Date, locale: Locale): string {
  return asSaid(new Intl.DateTimeFormat(tagOf(locale), { dateStyle: "long" }).format(instant), locale);
}

/** A sentence in French tells the first of a month and the hour as people say them: « 1er mars », « 9 h 41 ». */
function asSaid(words: string, locale: Locale): string {
  if (!/^fr\b/i.test(locale)) return words;
  return words
    .replace(/(?<![\d:])1(?=\s\p{L})/gu, "1er")
    .replace(
      /(?<!:)\b(\d\d):(\d\d)\b(?!:)/g,
      (_, hour: string, minute: string) => `${Number(hour)}\u00a0h\u00a0${minute}`,
    );
}

/**
 * Says the day and the time of an appointment, such as "jeu. 12 mars 2026, 14 h 30": in `timeZone` where it is known, and
 * with the zone's name where it is not the reader's own.
 */
export function dayAndTime(instant: Date, locale: Locale, timeZone: string | null): string {
  const isElsewhere = timeZone !== null && isNotOurs(timeZone);
  const format = new Intl.DateTimeFormat(tagOf(locale), {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    ...(isElsewhere ? { timeZone } : {}),
  });
  const words = asSaid(format.format(instant), locale);
  return isElsewhere ? `${words} (${zoneName(timeZone, instant, locale)})` : words;
}

/** Says the time of an instant, with the day when it is not the day of `now`. */
export function timeOfDay(instant: Date, now: Date, locale: Locale): string {
  const sameDay = instant.toDateString() === now.toDateString();
  const format = new Intl.DateTimeFormat(tagOf(locale), {
    ...(sameDay ? {} : { day: "numeric", month: "long" }),
    hour: "2-digit",
    minute: "2-digit",
  });
  return asSaid(format.format(instant), locale);
}

/**
 * Says a period in a given zone, such as "jeudi 12 mars 2026, 14 h 30 – 15 h 00", with the zone's name where it is not the
 * reader's own.
 */
export function period(start: Date, end: Date, timeZone: string, locale: Locale): string {
  const options: Intl.DateTimeFormatOptions = { dateStyle: "full", timeStyle: "short" };
  const zoned = isTimeZone(timeZone) ? { ...options, timeZone } : options;
  const words = asSaid(new Intl.DateTimeFormat(tagOf(locale), zoned).formatRange(start, end), locale);
  return isNotOurs(timeZone) ? `${words} (${zoneName(timeZone, start, locale)})` : words;
}

// As people call them; a browser knows only names such as « heure d’Europe centrale ».
const ZONES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  fr: {
    "Europe/Paris": "heure de Paris",
    "Europe/Brussels": "heure de Bruxelles",
    "Europe/Zurich": "heure de Zurich",
    "Europe/Luxembourg": "heure de Luxembourg",
    "Indian/Reunion": "heure de La Réunion",
    "America/Guadeloupe": "heure de la Guadeloupe",
    "America/Martinique": "heure de la Martinique",
    "America/Cayenne": "heure de Cayenne",
  },
  en: { "Europe/Paris": "Paris time" },
};

function zoneName(timeZone: string, instant: Date, locale: Locale): string {
  const known = ZONES[locale]?.[timeZone];
  if (known !== undefined) return known;
  const parts = new Intl.DateTimeFormat(tagOf(locale), { timeZone, timeZoneName: "longGeneric" }).formatToParts(
    instant,
  );
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? timeZone;
}

function isNotOurs(timeZone: string): boolean {
  return isTimeZone(timeZone) && timeZone !== new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function isTimeZone(name: string): boolean {
  try {
    return name !== "" && Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}
