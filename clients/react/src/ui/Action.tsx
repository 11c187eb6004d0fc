import { useId, type ReactElement, type ReactNode } from "react";
import { Button } from "react-aria-components";
import { useAnnounce } from "./Announcements";
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
  /** Why it is not to be had, for a cause outside: it does nothing, keeps its focus, and tells this when it is pressed. */
  readonly blocked?: string | null;
  readonly isDisabled?: boolean;
  readonly autoFocus?: boolean;
  readonly "aria-label"?: string;
}

/** A button. While it is pending its results are told by whoever made it pending, once: it announces nothing itself. */
export function Action(props: ActionProps): ReactElement {
  const { children, weight = "secondary", icon, isPending = false, blocked = null, onPress, ...rest } = props;
  const announce = useAnnounce();
  const reasonId = useId();
  const isBlocked = blocked !== null;
  return (
    <span className="cc-action-slot" {...(isBlocked ? { title: blocked } : {})}>
      <Button
        {...rest}
        {...(isPending || isBlocked ? { "aria-disabled": true } : {})}
        {...(isBlocked ? { "aria-describedby": reasonId } : {})}
        className={`cc-action cc-action-${weight}`}
        onPress={() => {
          if (isBlocked) announce(blocked, "neutral");
          else if (!isPending) onPress();
        }}
      >
        {isPending ? <Spinner /> : icon}
        <span className="cc-action-label">{children}</span>
      </Button>
      {isBlocked ? (
        <span id={reasonId} hidden>
          {blocked}
        </span>
      ) : null}
    </span>
  );
}
