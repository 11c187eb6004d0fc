import { describe, expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { fr } from "../src/i18n/fr";
import { createTranslate, resolveLocale } from "../src/i18n/message";
import { day, dayAndTime, exact, period, relative, timeOfDay } from "../src/i18n/moment";

const now = new Date("2026-03-12T12:00:00Z");
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const placeholders = (message: string | { one: string; other: string }) =>
  [...new Set(JSON.stringify(message).match(/\{\w+\}/g))].sort();

describe("the catalogues", () => {
  it("have the same keys and the same placeholders", () => {
    expect(Object.keys(en)).toEqual(Object.keys(fr));
    for (const key of Object.keys(fr) as (keyof typeof fr)[]) {
      expect([key, ...placeholders(en[key])]).toEqual([key, ...placeholders(fr[key])]);
    }
  });

  it("choose the plural as each language does: zero is one thing in French and many in English", () => {
    const inFrench = createTranslate("fr");
    const inEnglish = createTranslate("en");
    expect([0, 1, 2].map((count) => inFrench("errors.retried", { count }))).toEqual([
      "0 rendez-vous va être réessayé.",
      "1 rendez-vous va être réessayé.",
      "2 rendez-vous vont être réessayés.",
    ]);
    expect([0, 1, 2].map((count) => inEnglish("errors.retried", { count }))).toEqual([
      "0 appointments will be retried.",
      "1 appointment will be retried.",
      "2 appointments will be retried.",
    ]);
  });

  it("set no-break spaces where French wants them, and group digits as the language does", () => {
    expect(createTranslate("fr")("disconnect.title")).toBe("Déconnecter Google Calendar\u00a0?");
    expect(createTranslate("fr")("change.done", { calendar: "Bloc" })).toBe(
      "Le calendrier est maintenant «\u00a0Bloc\u00a0».",
    );
    expect(createTranslate("fr")("progress.value", { done: 1234, total: 5678 })).toBe("1\u202f234 sur 5\u202f678");
    expect(createTranslate("en")("progress.value", { done: 1234, total: 5678 })).toBe("1,234 of 5,678");
  });

  it("have no sentence in which the value wants an elision", () => {
    const sentences = Object.values(fr).flatMap((each) => (typeof each === "string" ? [each] : [each.one, each.other]));
    expect(sentences.filter((each) => /\b(de|que|le|la|je|se) \{(?!count)/.test(each))).toEqual([
      // Before a date, which is a figure.
      "Connecté le {date}",
    ]);
  });

  it("call what Google refused by one word in English", () => {
    const words = Object.values(en).flatMap((each) => (typeof each === "string" ? [each] : [each.one, each.other]));
    expect(
      words.filter((each) => /\b(failed|failing)\b.*\{count\}|\{count\}.*\b(failed|failing)\b/.test(each)),
    ).toEqual([]);
  });

  it("do not expand a placeholder that stands in a value", () => {
    expect(createTranslate("fr")("connection.since", { date: "{date}" })).toBe("Connecté le {date}");
  });

  it("are French unless the language is English", () => {
    expect([undefined, "", "fr-CA", "de", "en-GB", "EN"].map(resolveLocale)).toEqual([
      "fr",
      "fr",
      "fr",
      "fr",
      "en",
      "en",
    ]);
  });
});

describe("dates", () => {
  const instant = new Date("2026-03-12T08:00:00Z");

  it("of an appointment are told in the zone of its calendar, which is named where it is not the reader's", () => {
    const here = new Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(dayAndTime(instant, "fr", "Asia/Tokyo")).toMatch(/12 mars 2026.*17\u00a0h\u00a000.*Japon/);
    const elsewhere = here === "Europe/Paris" ? "Europe/Brussels" : "Europe/Paris";
    const named = here === "Europe/Paris" ? "heure de Bruxelles" : "heure de Paris";
    expect(dayAndTime(instant, "fr", elsewhere)).toMatch(new RegExp(`\\D9\u00a0h\u00a000 \\(${named}\\)$`));
    expect(period(instant, instant, elsewhere, "fr")).toMatch(new RegExp(`\\(${named}\\)$`));
    expect(period(instant, instant, here, "fr")).not.toContain("(");
    expect(dayAndTime(instant, "fr", here)).toBe(dayAndTime(instant, "fr", null));
    expect(dayAndTime(instant, "fr", "No/Where")).toBe(dayAndTime(instant, "fr", null));
  });

  it("tell the first of a month as it is said, and no other day so", () => {
    const at = (date: string) => new Date(`${date}T12:05:00Z`);
    expect(["2026-12-01", "2026-12-11", "2026-12-21"].map((date) => day(at(date), "fr"))).toEqual([
      "1er décembre 2026",
      "11 décembre 2026",
      "21 décembre 2026",
    ]);
    expect(dayAndTime(at("2026-12-01"), "fr", null)).toMatch(/^mar\. 1er déc\. 2026, \d+\sh\s05$/);
    expect(timeOfDay(at("2026-12-01"), now, "fr")).toMatch(/^1er décembre/);
    expect(period(at("2026-12-01"), at("2026-12-01"), "Europe/Paris", "fr")).toMatch(/^mardi 1er décembre 2026/);
    expect(exact(at("2026-12-01"), "fr")).toMatch(/^mardi 1er décembre 2026.* \d\d:05:00$/);
    expect(day(at("2026-12-01"), "en")).toBe("1 December 2026");
  });

  it("are British in English, as its words are", () => {
    expect(day(instant, "en")).toBe("12 March 2026");
  });
});

describe("relative time", () => {
  it.each([
    [20, "à l’instant"],
    [60, "il y a 1 minute"],
    [3_599, "il y a 59 minutes"],
    [7_200, "il y a 2 heures"],
    [86_400, "hier"],
    [40 * 86_400, "le mois dernier"],
  ])("says %i seconds ago as « %s »", (seconds, text) => {
    expect(relative(ago(seconds), now, "past", "fr", "à l’instant")).toBe(text);
  });

  it("never puts the past into the future when the service's clock is ahead", () => {
    expect(relative(ago(-90), now, "past", "fr", "à l’instant")).toBe("à l’instant");
  });

  it("rounds the wait for the next try up to a minute, and counts one that is due as now", () => {
    expect(relative(ago(-40), now, "future", "fr", "à l’instant")).toBe("dans 1 minute");
    expect(relative(ago(60), now, "future", "fr", "à l’instant")).toBe("à l’instant");
  });

  it("names the day of the next try when it is not today", () => {
    expect(timeOfDay(new Date("2026-03-12T14:05:00Z"), now, "fr")).toMatch(/^\d\d?\u00a0h\u00a005$/);
    expect(timeOfDay(new Date("2026-03-12T14:05:00Z"), now, "en")).toMatch(/^\d\d:05$/);
    expect(timeOfDay(new Date("2026-03-14T14:05:00Z"), now, "fr")).toMatch(/^14 mars/);
  });
});
