/**
 * Turns a key of the catalogue into a sentence: placeholders, plurals, French spacing.
 * Never falls back to a key on screen: a missing key or argument does not compile.
 */
import type { Catalogue, MessageKey, Reference } from "./catalogue";
import { en } from "./en";
import { fr } from "./fr";

/** The languages that have a catalogue here. */
type OwnLocale = "fr" | "en";

/** A language as a BCP 47 tag. One that has no catalogue here needs the host's, whole, as its words. */
export type Locale = OwnLocale | (string & {});

type Placeholders<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never;
type ArgumentNames<K extends MessageKey> = Reference[K] extends string
  ? Placeholders<Reference[K]>
  : "count" | Placeholders<Reference[K][keyof Reference[K]]>;

/** The arguments that a message needs; `count` is a number, the others are text. */
export type Arguments<K extends MessageKey> = {
  readonly [Name in ArgumentNames<K>]: Name extends "count" ? number : string | number;
};

type Rest<K extends MessageKey> = [ArgumentNames<K>] extends [never] ? [] : [Arguments<K>];

/** Renders a message. */
export type Translate = <K extends MessageKey>(key: K, ...rest: Rest<K>) => string;

const catalogues: Readonly<Record<OwnLocale, Catalogue>> = { fr, en };

/** Answers the language to use for a BCP 47 tag: French unless it is English. */
export function resolveLocale(tag: string | undefined): OwnLocale {
  return tag?.toLowerCase().startsWith("en") ? "en" : "fr";
}

/** Makes the function that renders messages in `locale`, with a host's own words where it has some. */
export function createTranslate(locale: Locale, words: Partial<Catalogue> = {}): Translate {
  const catalogue: Catalogue = { ...catalogues[resolveLocale(locale)], ...words };
  const isFrench = /^fr\b/i.test(locale);
  const plural = new Intl.PluralRules(locale);
  const number = new Intl.NumberFormat(locale);
  return (key, ...rest) => {
    const values: Readonly<Record<string, string | number>> = rest[0] ?? {};
    const message = catalogue[key];
    const template =
      typeof message === "string" ? message : (message[plural.select(Number(values["count"]))] ?? message.other);
    const text = template.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      return typeof value === "number" ? number.format(value) : (value ?? "");
    });
    return isFrench ? withFrenchSpacing(text) : text;
  };
}

/** French sets a no-break space before high punctuation and inside guillemets. */
function withFrenchSpacing(text: string): string {
  return text.replace(/ (?=[:;!?»])|(?<=«) /g, "\u00a0");
}
