import type { ReactElement, ReactNode } from "react";
import { Button } from "react-aria-components";
import { useHost } from "../host/host";
import { CrossIcon } from "./icons";
import type { Tone } from "./Pill";

/** What a notice is drawn from. */
export interface NoticeProps {
  readonly tone: Tone;
  readonly icon: ReactNode;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
  /** Takes the notice away. Absent: it stays until its cause is gone. */
  readonly onClose?: () => void;
  /** `alert` for what answers an action just made; nothing for what was there before. */
  readonly role?: "alert" | "status";
}

/** A message that stays in the page until its cause is gone. */
export function Notice({ tone, icon, title, children, actions, onClose, role }: NoticeProps): ReactElement {
  const { t } = useHost();
  return (
    <div className={`cc-notice cc-tone-${tone}`} role={role}>
      <span className="cc-notice-icon">{icon}</span>
      <div className="cc-notice-words">
        {title === undefined ? null : <p className="cc-notice-title">{title}</p>}
        {children === undefined ? null : <div className="cc-notice-body">{children}</div>}
      </div>
      {actions === undefined ? null : <div className="cc-notice-actions">{actions}</div>}
      {onClose ? (
        <Button className="cc-notice-close" aria-label={t("common.close")} onPress={onClose}>
          <CrossIcon />
        </Button>
      ) : null}
    </div>
  );
}
