import { useId, type ReactElement, type ReactNode } from "react";

/** What a card is drawn from. */
export interface IntegrationCardProps {
  readonly name: string;
  readonly description: string;
  readonly icon: ReactNode;
  /** The state in a word. */
  readonly mark: ReactNode;
  readonly foot?: ReactNode;
  /** Announced, and not to be had yet. */
  readonly isSoon?: boolean;
}

/** One integration in the list. */
export function IntegrationCard(props: IntegrationCardProps): ReactElement {
  const titleId = useId();
  return (
    <li className={props.isSoon ? "cc-card cc-card-soon" : "cc-card"} aria-labelledby={titleId}>
      <span className="cc-card-icon">{props.icon}</span>
      <div className="cc-card-words">
        <div className="cc-card-line">
          <h2 className="cc-card-title" id={titleId}>
            {props.name}
          </h2>
          {props.mark}
        </div>
        <p className="cc-card-description">{props.description}</p>
      </div>
      {props.foot === undefined ? null : <div className="cc-card-foot">{props.foot}</div>}
    </li>
  );
}
