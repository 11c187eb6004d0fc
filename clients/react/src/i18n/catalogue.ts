/**
 * What every language has to provide, derived from the French catalogue: its keys, its plurals, its placeholders.
 * Types alone, so that a language and the function that renders it both depend on this file and on no other.
 */
import type { fr } from "./fr";

/** A message with a form for one and a form for many, and further ones where a language has them: see `Intl.PluralRules`. */
export interface Plural extends Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> {
  readonly one: string;
  readonly other: string;
}

/** The catalogue that the others are held to. */
export type Reference = typeof fr;

/** Names one message. */
export type MessageKey = keyof Reference;

/** What every language has to provide. */
export type Catalogue = { readonly [K in MessageKey]: Reference[K] extends string ? string : Plural };
