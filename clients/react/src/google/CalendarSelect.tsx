import type { ReactElement } from "react";
import { Button, Label, ListBox, ListBoxItem, Popover, Select, SelectValue, Text } from "react-aria-components";
import { useHost } from "../host/host";
import { ChevronDownIcon } from "../ui/icons";
import { Spinner } from "../ui/Spinner";
import type { CalendarJson, IntegrationStatusJson } from "../wire";

/** What the dropdown is drawn from. */
export interface CalendarSelectProps {
  readonly label: string;
  readonly hint: string;
  readonly calendars: readonly CalendarJson[];
  readonly value: string | null;
  readonly onChange: (calendarId: string) => void;
  readonly isLoading?: boolean;
  readonly isDisabled?: boolean;
}

/** The writable calendars with their colours, in the order given. */
export function CalendarSelect(props: CalendarSelectProps): ReactElement {
  const { label, hint, calendars, value, onChange, isLoading = false, isDisabled = false } = props;
  const { t } = useHost();
  return (
    <Select
      className="cc-select"
      value={value}
      isDisabled={isDisabled}
      placeholder={t("calendars.choose")}
      onChange={(key) => {
        if (typeof key === "string") onChange(key);
      }}
    >
      <Label className="cc-label">{label}</Label>
      <Text slot="description" className="cc-hint">
        {hint}
      </Text>
      <Button className="cc-select-button">
        <SelectValue className="cc-select-value" />
        {isLoading ? <Spinner /> : <ChevronDownIcon />}
      </Button>
      <Popover className="cassius-calendar cc-popover" offset={4}>
        <ListBox className="cc-list" items={calendars}>
          {(calendar) => (
            <ListBoxItem id={calendar.id} textValue={calendar.name} className="cc-list-item">
              <CalendarName calendar={calendar} />
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}

/** The calendars that can be chosen: without the present one where the service has just found it gone. */
export function choosable(calendars: readonly CalendarJson[], status: IntegrationStatusJson): readonly CalendarJson[] {
  if (status.problem?.action !== "choose_calendar") return calendars;
  return calendars.filter((calendar) => calendar.id !== status.calendar?.id);
}

/** A calendar's colour and name, and whether it is the primary one, or somebody else's. */
export function CalendarName({ calendar }: { readonly calendar: CalendarJson }): ReactElement {
  const { t } = useHost();
  return (
    <span className="cc-calendar">
      <span className="cc-calendar-dot" style={{ background: calendar.color ?? undefined }} aria-hidden="true" />
      <span className="cc-calendar-name">
        <span>{calendar.name}</span>
        {calendar.isPrimary ? <span className="cc-tag">{t("common.primary")}</span> : null}
        {calendar.accessRole === "writer" ? <span className="cc-tag cc-tag-role">{t("calendars.foreign")}</span> : null}
      </span>
    </span>
  );
}
