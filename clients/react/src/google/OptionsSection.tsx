import type { ReactElement } from "react";
import { SwitchButton, SwitchField, Text } from "react-aria-components";
import { useHost } from "../host/host";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import type { IntegrationStatusJson } from "../wire";
import type { GoogleSectionProps } from "./sectionProps";
import { PreviewField } from "./PreviewSection";
import { PRIVACIES } from "./privacy";
import { PrivacyChoice } from "./PrivacyChoice";
import { TestEvent } from "./TestEvent";
import { useEnable } from "./useEnable";

/** Options: whether appointments are sent, whether the calendar takes them, and what their titles show. */
export function OptionsSection({ status, isOnline, lastKnown }: GoogleSectionProps): ReactElement {
  const { t } = useHost();
  return (
    <Section title={t("options.title")} lead={t("options.lead")} caveat={lastKnown} isBusy={!status}>
      {status ? <Options status={status} isOnline={isOnline} lastKnown={lastKnown} /> : <OptionsSkeleton />}
      <PreviewField status={status} />
    </Section>
  );
}

function Options(props: GoogleSectionProps & { readonly status: IntegrationStatusJson }): ReactElement {
  const { status, isOnline, lastKnown } = props;
  const { t } = useHost();
  const enable = useEnable();

  return (
    <div className="cc-fields">
      <div className="cc-field">
        <SwitchField
          className="cc-switch-field"
          isSelected={status.isEnabled}
          isReadOnly={!isOnline}
          onChange={enable.run}
        >
          <SwitchButton className="cc-switch">
            <span className="cc-label">{t("options.enabled")}</span>
            <span className="cc-switch-track" aria-hidden="true">
              <span className="cc-switch-thumb" />
            </span>
          </SwitchButton>
          <Text slot="description" className="cc-hint">
            {t("options.enabledHint")}
          </Text>
        </SwitchField>
      </div>
      <div className="cc-field">
        <TestEvent status={status} isOnline={isOnline} />
      </div>
      <PrivacyChoice status={status} isOnline={isOnline} lastKnown={lastKnown} />
    </div>
  );
}

/** The same words in the same places; what only the service knows is still to come. */
function OptionsSkeleton(): ReactElement {
  const { t } = useHost();
  return (
    <div className="cc-fields">
      <div className="cc-field">
        <div className="cc-switch">
          <span className="cc-label">{t("options.enabled")}</span>
          <Skeleton width="2.75rem" height="1.625rem" />
        </div>
        <span className="cc-hint">{t("options.enabledHint")}</span>
      </div>
      <div className="cc-field">
        <div className="cc-field-aside">
          <p className="cc-hint">{t("test.hint")}</p>
          <Skeleton width="16rem" height="2.5rem" />
        </div>
      </div>
      <div className="cc-field">
        <div className="cc-choices">
          <span className="cc-label">{t("options.privacy")}</span>
          <span className="cc-hint">{t("options.privacyHint")}</span>
          <div className="cc-choices-list">
            {PRIVACIES.map((value) => (
              <div key={value} className="cc-choice cc-choice-place">
                <span className="cc-choice-button">
                  <span className="cc-choice-mark" aria-hidden="true" />
                  {t(`options.privacy.${value}`)}
                </span>
                <span className="cc-hint cc-choice-hint">{t(`options.privacy.${value}.hint`)}</span>
              </div>
            ))}
          </div>
        </div>
        <p className="cc-details">
          <span className="cc-hint">{t("shown.title")}</span>
        </p>
      </div>
    </div>
  );
}
