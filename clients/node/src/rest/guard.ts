/**
 * What a request must be before a route sees it.
 *
 * The host's session travels in a cookie, which a browser sends along from any site: so a route that changes something
 * takes JSON alone (no form can send that) and checks where the request comes from. Bodies are bounded while they are
 * read, never after.
 */
import type { z } from "zod";

import { Refusal } from "./refusal.js";

/** Refuses what comes from another site, and what changes something without being JSON of this very origin. */
export function checkOrigin(request: Request, publicOrigin: string): void {
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  if (request.method === "GET" || request.method === "HEAD") {
    // "none": a person typed the address.
    if (site !== null && site !== "same-origin" && site !== "none") throw new Refusal("CROSS_SITE_REQUEST");
    return;
  }
  if (site === null && origin === null) throw new Refusal("CROSS_SITE_REQUEST");
  if (site !== null && site !== "same-origin") throw new Refusal("CROSS_SITE_REQUEST");
  if (origin !== null && origin !== publicOrigin) throw new Refusal("CROSS_SITE_REQUEST");
  const mediaType = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") throw new Refusal("UNSUPPORTED_MEDIA_TYPE");
}

/** Refuses a navigation that another site, or nobody knows who, has led to: it begins something. */
export function checkNavigation(request: Request): void {
  const site = request.headers.get("sec-fetch-site");
  if (site !== "same-origin" && site !== "none") throw new Refusal("CROSS_SITE_REQUEST");
}

/** Reads the JSON body of a request out of its text; an empty one counts as `{}`. */
export function bodyOf<T>(text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw new Refusal("INVALID_REQUEST", [{ field: "", description: "not JSON" }]);
  }
  return checked(schema, json);
}

/** Holds a value against a schema, and names every field at fault. */
export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const violations = result.error.issues.map(({ path, message }) => ({
    field: path.map(String).join("."),
    description: message,
  }));
  throw new Refusal("INVALID_REQUEST", violations);
}

/** Reads the body of a request to its end; refuses one that is larger than `maxBytes`. */
export async function textOf(request: Request, maxBytes: number): Promise<string> {
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Refusal("BODY_TOO_LARGE");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
