import type { IntegrationStatusJson } from "../wire";

/** What a section of the page is drawn from; without a status it holds the place. */
export interface GoogleSectionProps {
  readonly status: IntegrationStatusJson | undefined;
  readonly isOnline: boolean;
}
