import { useState, type ReactElement } from "react";
import { Button, Tooltip, TooltipTrigger } from "react-aria-components";
import { useNow } from "../host/browser";
import { useHost } from "../host/host";
import { exact, relative, type Tense } from "../i18n/moment";

/** An instant as relative time; the exact one shows on hover, on focus and on touch. */
export function Moment({ instant, tense }: { readonly instant: string; readonly tense: Tense }): ReactElement {
  const { locale, t } = useHost();
  const now = useNow();
  const [isOpen, setOpen] = useState(false);
  const date = new Date(instant);
  return (
    <TooltipTrigger delay={200} closeDelay={100} isOpen={isOpen} onOpenChange={setOpen} shouldCloseOnPress={false}>
      <Button className="cc-moment" onPress={() => setOpen(true)}>
        <time dateTime={instant}>
          {relative(date, now, tense, locale, t(tense === "past" ? "common.now" : "common.soon"))}
        </time>
      </Button>
      <Tooltip className="cassius-calendar cc-tooltip" offset={6}>
        {exact(date, locale)}
      </Tooltip>
    </TooltipTrigger>
  );
}
