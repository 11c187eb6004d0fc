import type { ReactElement, ReactNode, Ref } from "react";
import { Button } from "react-aria-components";
import { Spinner } from "./Spinner";

/** How much weight an action has on the page. */
export type ActionWeight = "primary" | "secondary" | "quiet" | "danger";

/** What an action is drawn from. */
export interface ActionProps {
  readonly children: ReactNode;
  readonly onPress: () => void;
  readonly weight?: ActionWeight;
  readonly icon?: ReactNode;
  /** Under way: the button keeps its focus and its size and takes no press. */
  readonly isPending?: boolean;
  readonly isDisabled?: boolean;
  readonly autoFocus?: boolean;
  readonly "aria-label"?: string;
  readonly ref?: Ref<HTMLButtonElement>;
}

/** A button. */
export function Action(props: ActionProps): ReactElement {
  const { children, weight = "secondary", icon, isPending = false, ...rest } = props;
  return (
    <Button {...rest} isPending={isPending} className={`cc-action cc-action-${weight}`}>
      {isPending ? <Spinner /> : icon}
      <span className="cc-action-label">{children}</span>
    </Button>
  );
}
