import type { ReactElement, ReactNode } from "react";
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
  /** Not to be had for a cause outside, such as a lost network: it takes no press, and keeps its focus too. */
  readonly isBlocked?: boolean;
  readonly isDisabled?: boolean;
  readonly autoFocus?: boolean;
  readonly "aria-label"?: string;
  readonly "aria-describedby"?: string;
}

/** A button. While it is pending its results are told by whoever made it pending, once: it announces nothing itself. */
export function Action(props: ActionProps): ReactElement {
  const { children, weight = "secondary", icon, isPending = false, isBlocked = false, onPress, ...rest } = props;
  return (
    <Button
      {...rest}
      {...(isPending || isBlocked ? { "aria-disabled": true } : {})}
      className={`cc-action cc-action-${weight}`}
      onPress={() => {
        if (!isPending && !isBlocked) onPress();
      }}
    >
      {isPending ? <Spinner /> : icon}
      <span className="cc-action-label">{children}</span>
    </Button>
  );
}
