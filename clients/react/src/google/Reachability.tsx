/** What stands between the page and the service: the network, the service itself, the reader's own rights. */
import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import type { Translate } from "../i18n/message";
import type { StatusView } from "../query/useStatus";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { AlertIcon, CloudOffIcon } from "../ui/icons";
import { Notice, type NoticeProps } from "../ui/Notice";
import { failureText } from "./failureText";

/** Says that what is shown may be old; `null` where it is not. */
export function reachabilityNotice(view: StatusView, t: Translate): NoticeProps | null {
  if (!view.isOnline) {
    return {
      tone: "neutral",
      icon: <CloudOffIcon />,
      title: t("offline.title"),
      children: t(view.status ? "offline.body" : "offline.bodyEmpty"),
    };
  }
  if (!view.isUnavailable || !view.status || view.failure?.kind === "foreign") return null;
  return {
    tone: "warning",
    icon: <AlertIcon />,
    title: t(`${wordsOf(view)}.title`),
    children: `${t(`${wordsOf(view)}.body`)} ${t("unavailable.stale")}`,
  };
}

/** Where the router alone has too much under way, the service is not away: what was changed is being sent. */
function wordsOf({ freshness, failure }: StatusView): "overloaded" | "unavailable" {
  return freshness === "silent" && failure?.reason === "OVERLOADED" ? "overloaded" : "unavailable";
}

/** The same in a place of its own. The region is always there, so that its words are read out when they come. */
export function Reachability({ view }: { readonly view: StatusView }): ReactElement {
  const { t } = useHost();
  const notice = reachabilityNotice(view, t);
  return (
    <div role="status" className="cc-reachability">
      {notice ? <Notice {...notice} /> : null}
    </div>
  );
}
/** Stands in for the page when nothing was ever answered. It stays as it is while the question is asked again. */
export function Unanswered({ view }: { readonly view: StatusView }): ReactElement {
  const { t } = useHost();
  const announce = useAnnounce();
  const [isAsking, setAsking] = useState(false);
  const ask = async () => {
    setAsking(true);
    const failure = await view.refresh();
    setAsking(false);
    if (failure) announce(failureText(failure, t), "danger");
  };
  switch (view.failure?.kind) {
    case "forbidden":
      return (
        <Notice tone="neutral" icon={<AlertIcon />} title={t("forbidden.title")} role="alert">
          {t("forbidden.body")}
        </Notice>
      );
    case "signed_out":
      return (
        <Notice tone="neutral" icon={<AlertIcon />} title={t("signedOut.title")} role="alert" actions={<Reload />}>
          {t("signedOut.body")}
        </Notice>
      );
    case "foreign":
      return (
        <Notice tone="warning" icon={<AlertIcon />} title={t("foreign.title")} role="alert" actions={<Reload />}>
          {t("foreign.body")}
        </Notice>
      );
    default:
      return (
        <Notice
          tone="warning"
          icon={<AlertIcon />}
          title={t(`${wordsOf(view)}.title`)}
          role="alert"
          actions={
            <Action isPending={isAsking} onPress={() => void ask()}>
              {t("common.retry")}
            </Action>
          }
        >
          {t(`${wordsOf(view)}.body`)}
        </Notice>
      );
  }
}

/** Loads the page anew: the host then asks its reader to sign in, or shows its present version. */
function Reload(): ReactElement {
  const { t } = useHost();
  return <Action onPress={() => window.location.reload()}>{t("common.reload")}</Action>;
}
