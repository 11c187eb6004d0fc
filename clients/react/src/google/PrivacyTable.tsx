import type { ReactElement } from "react";
import { useHost } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import type { TitlePrivacyJson } from "../wire";
import { PRIVACIES } from "./privacy";

type Shown = MessageKey & `shown.${"yes" | "no" | "initials"}`;
type Part = MessageKey & `shown.part.${string}`;

/** What Google is sent of an appointment, by what was chosen. */
const SENT: readonly (readonly [Part, Readonly<Record<TitlePrivacyJson, Shown>>])[] = [
  ["shown.part.patient", { full: "shown.yes", initials: "shown.initials", masked: "shown.no" }],
  ["shown.part.type", { full: "shown.yes", initials: "shown.yes", masked: "shown.no" }],
  ["shown.part.practitioner", { full: "shown.yes", initials: "shown.yes", masked: "shown.no" }],
  ["shown.part.place", { full: "shown.yes", initials: "shown.yes", masked: "shown.no" }],
  ["shown.part.time", { full: "shown.yes", initials: "shown.yes", masked: "shown.yes" }],
  ["shown.part.link", { full: "shown.yes", initials: "shown.yes", masked: "shown.yes" }],
];

/** A table of what each level sends, for whoever wants to know. */
export function PrivacyTable(): ReactElement {
  const { t } = useHost();
  return (
    <details className="cc-details">
      <summary>{t("shown.title")}</summary>
      <table className="cc-table">
        <caption className="cc-hidden">{t("shown.title")}</caption>
        <thead>
          <tr>
            <td />
            {PRIVACIES.map((privacy) => (
              <th key={privacy} scope="col">
                {t(`options.privacy.${privacy}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {SENT.map(([part, shown]) => (
            <tr key={part}>
              <th scope="row">{t(part as "shown.part.patient")}</th>
              {PRIVACIES.map((privacy) => (
                <td key={privacy}>{t(shown[privacy] as "shown.yes")}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
