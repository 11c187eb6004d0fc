/** The ways in which titles tell of a patient, and which of two tells more. */
import type { TitlePrivacyJson } from "../wire";

/** Every way, the most open first. */
export const PRIVACIES: readonly TitlePrivacyJson[] = ["full", "initials", "masked"];

/** Whether titles would tell more than before. */
export function isMoreOpen(wanted: TitlePrivacyJson, before: TitlePrivacyJson): boolean {
  return PRIVACIES.indexOf(wanted) < PRIVACIES.indexOf(before);
}
