import type { IntegrationStatusJson } from "../wire";

/** What a section of the page is drawn from; without a status it holds the place. */
export interface GoogleSectionProps {
  readonly status: IntegrationStatusJson | undefined;
  readonly isOnline: boolean;
  /** When `status` was known last, in words, while it is no more than that. */
  readonly lastKnown: string | null;
}
