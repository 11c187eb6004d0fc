/** Keeps a defect of one page from taking the host's pages along: says so in the page's place, and tries again. */
import { Component, type ReactElement, type ReactNode } from "react";
import { useHost } from "../host/host";
import { keys } from "../query/keys";
import { Action } from "./Action";
import { AlertIcon } from "./icons";
import { Notice } from "./Notice";

/** What a boundary is put around. */
export interface PageBoundaryProps {
  readonly children: ReactNode;
  /** What stands in place of the children after a defect. Default: a notice with a way to try again. */
  readonly fallback?: ReactNode;
}

/** A page, or words in its place. React itself reports the defect to the console and to the host's root. */
export class PageBoundary extends Component<PageBoundaryProps, { readonly hasFailed: boolean }> {
  override readonly state = { hasFailed: false };

  static getDerivedStateFromError(): { readonly hasFailed: boolean } {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children;
    if (this.props.fallback !== undefined) return this.props.fallback;
    return <Defect onRetry={() => this.setState({ hasFailed: false })} />;
  }
}

function Defect({ onRetry }: { readonly onRetry: () => void }): ReactElement {
  const { client, queryClient, t } = useHost();
  const retry = () => {
    // An answer may have been the cause: it is asked for anew.
    queryClient.removeQueries({ queryKey: keys.all(client) });
    onRetry();
  };
  return (
    <div className="cassius-calendar cc-page">
      <Notice
        tone="danger"
        icon={<AlertIcon />}
        role="alert"
        title={t("defect.title")}
        actions={<Action onPress={retry}>{t("common.retry")}</Action>}
      >
        {t("defect.body")}
      </Notice>
    </div>
  );
}
