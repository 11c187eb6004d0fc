import type { ReactElement, ReactNode } from "react";
import type { Tone } from "./Pill";

/** What a notice is drawn from. */
export interface NoticeProps {
  readonly tone: Tone;
  readonly icon: ReactNode;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
  /** `alert` for what answers an action just made; nothing for what was there before. */
  readonly role?: "alert" | "status";
}

/** A message that stays in the page until its cause is gone. */
export function Notice({ tone, icon, title, children, actions, role }: NoticeProps): ReactElement {
  return (
    <div className={`cc-notice cc-tone-${tone}`} role={role}>
      <span className="cc-notice-icon">{icon}</span>
      <div className="cc-notice-words">
        {title === undefined ? null : <p className="cc-notice-title">{title}</p>}
        {children === undefined ? null : <div className="cc-notice-body">{children}</div>}
        {actions === undefined ? null : <div className="cc-notice-actions">{actions}</div>}
      </div>
    </div>
  );
}
