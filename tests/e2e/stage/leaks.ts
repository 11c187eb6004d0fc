/**
 * Looks for what must never reach a browser: Google's tokens, by their value and by their shape, and the secret of the
 * OAuth client. An authorization code is no token: it passes through the browser by design, once, in one address.
 */

// What Google's tokens begin with (access, refresh), and an id_token's header.
const SHAPES = [/ya29\.[\w-]{8,}/, /1\/\/0[\w-]{20,}/, /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\./, /emulated-secret/];
const NAMES = /access_?token|refresh_?token|id_?token|client_?secret/i;

/** Where something was looked for, and what was there. */
export interface Place {
  name: string;
  text: string;
}

/** Answers what was found, in words that repeat no secret. */
export function leaksIn(places: readonly Place[], tokens: Iterable<string>): string[] {
  const found: string[] = [];
  const values = [...tokens];
  for (const { name, text } of places) {
    if (values.some((token) => text.includes(token))) found.push(`${name}: a token of Google's`);
    for (const shape of SHAPES) if (shape.test(text)) found.push(`${name}: something like ${shape.source}`);
  }
  return found;
}

/** Whether a text names a token, as a field of JSON or a parameter would. For answers and addresses, not for scripts. */
export function namesToken(text: string): boolean {
  return NAMES.test(text);
}
