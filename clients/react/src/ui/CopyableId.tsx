import { useState, type ReactElement } from "react";
import { Button } from "react-aria-components";
import { useHost } from "../host/host";
import { useAnnounce } from "./Announcements";
import { CheckIcon, CopyIcon } from "./icons";

const COPIED_SHOWN_MS = 2_000;

/** A technical id in full, with a button that copies it for the support. */
export function CopyableId({ id, label }: { readonly id: string; readonly label: string }): ReactElement {
  const { t } = useHost();
  const announce = useAnnounce();
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(id);
      setCopied(true);
      setTimeout(() => setCopied(false), COPIED_SHOWN_MS);
      announce(t("common.copied"));
    } catch {
      announce(t("common.copyFailed"), "danger");
    }
  };
  return (
    <span className="cc-id">
      <code className="cc-id-value" title={id}>
        {id}
      </code>
      <Button className="cc-id-copy" aria-label={label} onPress={() => void copy()}>
        {isCopied ? <CheckIcon /> : <CopyIcon />}
      </Button>
    </span>
  );
}
