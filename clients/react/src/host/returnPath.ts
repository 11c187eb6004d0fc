/**
 * The address that the consent leaves and comes back to, with its query and its fragment.
 * The service takes no fragment, so it travels as a parameter and is put back on the return. Nothing is stored.
 */

const OUTCOME = "google";
const GRANT = "google-grant";
const FRAGMENT = "google-fragment";

/** The path to come back to. */
export function returnPathOf({ pathname, search, hash }: Pick<Location, "pathname" | "search" | "hash">): string {
  const query = new URLSearchParams(search);
  query.delete(OUTCOME);
  query.delete(GRANT);
  query.delete(FRAGMENT);
  if (hash !== "") query.set(FRAGMENT, hash.slice(1));
  return query.size === 0 ? pathname : `${pathname}?${query.toString()}`;
}

/** The outcome word of an address; `null` if it has none. */
export function outcomeWordOf(search: string): string | null {
  return new URLSearchParams(search).get(OUTCOME);
}

/** What an address says of an access that nobody keeps and that may still stand at Google; `null` if nothing. */
export function grantWordOf(search: string): string | null {
  return new URLSearchParams(search).get(GRANT);
}

/** The address as it was before the consent; `null` if it did not come back from one. */
export function addressBefore(href: string): string | null {
  const url = new URL(href);
  if (!url.searchParams.has(OUTCOME) && !url.searchParams.has(FRAGMENT)) return null;
  const fragment = url.searchParams.get(FRAGMENT);
  url.searchParams.delete(OUTCOME);
  url.searchParams.delete(GRANT);
  url.searchParams.delete(FRAGMENT);
  if (fragment !== null) url.hash = fragment;
  return url.pathname + url.search + url.hash;
}
