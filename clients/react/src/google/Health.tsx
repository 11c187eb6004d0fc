/** What stands between the page and the service: the network, the service itself, the reader's own rights. */
import type { ReactElement } from "react";
import { useHost } from "../host/host";
import type { StatusView } from "../query/useStatus";
import { Action } from "../ui/Action";
import { AlertIcon, CloudOffIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";

/** Says that what is shown may be old. The region is always there, so that its words are read out when they come. */
export function Health({ view }: { readonly view: StatusView }): ReactElement {
  const { t } = useHost();
  return (
    <div role="status" className="cc-health">
      {view.isOnline ? null : (
        <Notice tone="neutral" icon={<CloudOffIcon />} title={t("offline.title")}>
          {t("offline.body")}
        </Notice>
      )}
      {view.isOnline && view.isUnavailable && view.status ? (
        <Notice tone="warning" icon={<AlertIcon />} title={t("unavailable.title")}>
          {t("unavailable.body")} {t("unavailable.stale")}
        </Notice>
      ) : null}
    </div>
  );
}

/** Stands in for the page when nothing was ever answered. */
export function Unanswered({ view }: { readonly view: StatusView }): ReactElement | null {
  const { t } = useHost();
  if (view.failure?.kind === "offline") return null;
  if (view.failure?.kind === "forbidden") {
    return (
      <Notice tone="neutral" icon={<AlertIcon />} title={t("forbidden.title")} role="alert">
        {t("forbidden.body")}
      </Notice>
    );
  }
  return (
    <Notice
      tone="warning"
      icon={<AlertIcon />}
      title={t("unavailable.title")}
      role="alert"
      actions={<Action onPress={view.refresh}>{t("common.retry")}</Action>}
    >
      {t("unavailable.body")}
    </Notice>
  );
}
