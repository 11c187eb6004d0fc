import type { ReactElement, ReactNode } from "react";
import { Label, RadioButton, RadioField, RadioGroup, Text } from "react-aria-components";

/** One of several answers to a question. */
export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: ReactNode;
  readonly hint: ReactNode;
}

/** What a group of choices is drawn from. */
export interface ChoicesProps<Value extends string> {
  readonly label: string;
  readonly hint?: string;
  readonly value: Value;
  readonly choices: readonly Choice<Value>[];
  readonly onChange: (value: Value) => void;
  readonly isDisabled?: boolean;
  /** Not to be changed for a cause outside, such as a lost network: it keeps its focus. */
  readonly isReadOnly?: boolean;
}

/** A question with all of its answers in sight. */
export function Choices<Value extends string>(props: ChoicesProps<Value>): ReactElement {
  const { label, hint, value, choices, onChange, isDisabled = false, isReadOnly = false } = props;
  return (
    <RadioGroup
      className="cc-choices"
      value={value}
      isDisabled={isDisabled}
      isReadOnly={isReadOnly}
      onChange={(chosen) => {
        const choice = choices.find((each) => each.value === chosen);
        if (choice) onChange(choice.value);
      }}
    >
      <Label className="cc-label">{label}</Label>
      {hint === undefined ? null : (
        <Text slot="description" className="cc-hint">
          {hint}
        </Text>
      )}
      <div className="cc-choices-list">
        {choices.map((choice) => (
          <RadioField key={choice.value} value={choice.value} className="cc-choice">
            <RadioButton className="cc-choice-button">
              <span className="cc-choice-mark" aria-hidden="true" />
              {choice.label}
            </RadioButton>
            <Text slot="description" className="cc-hint cc-choice-hint">
              {choice.hint}
            </Text>
          </RadioField>
        ))}
      </div>
    </RadioGroup>
  );
}
