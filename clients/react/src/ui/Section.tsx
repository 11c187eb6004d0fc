import { useId, type ReactElement, type ReactNode, type Ref } from "react";

/** What a section is drawn from. */
export interface SectionProps {
  readonly title: string;
  readonly lead: string;
  /** What has to be said in place of the lead for now; it takes the lead's room, so that nothing moves. */
  readonly caveat?: string | null;
  readonly children: ReactNode;
  readonly isBusy?: boolean;
  /** The heading, so that focus has a place to go when what held it is gone. */
  readonly titleRef?: Ref<HTMLHeadingElement>;
}

/** One titled part of a settings page. */
export function Section(props: SectionProps): ReactElement {
  const { title, lead, caveat = null, children, isBusy = false, titleRef } = props;
  const titleId = useId();
  return (
    <section className="cc-section" aria-labelledby={titleId} aria-busy={isBusy}>
      <header className="cc-section-head">
        <h2 id={titleId} className="cc-section-title" ref={titleRef} tabIndex={-1}>
          {title}
        </h2>
        <p className="cc-section-lead">
          <span className={caveat === null ? undefined : "cc-room"} aria-hidden={caveat !== null}>
            {lead}
          </span>
          {caveat === null ? null : <span className="cc-caveat">{caveat}</span>}
        </p>
      </header>
      <div className="cc-section-body">{children}</div>
    </section>
  );
}
