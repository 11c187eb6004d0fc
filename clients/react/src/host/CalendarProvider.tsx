import { QueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, type ReactElement, type ReactNode } from "react";
import { I18nProvider } from "react-aria-components";
import { createCalendarClient, type CalendarClient } from "../api/client";
import type { Catalogue } from "../i18n/catalogue";
import type { Locale } from "../i18n/message";
import { createHost, documentLocale, HostContext, type Host, type LinkProps, type SettingsPaths } from "./host";

/** What a host may say; all of it is optional. */
export interface CalendarProviderProps {
  readonly children: ReactNode;
  /** Where the host mounted the router. Default: `/api/integrations/google`. Not looked at when `client` is given. */
  readonly basePath?: string;
  /**
   * The language, as a BCP 47 tag. Default: that of the document, French unless it is English. Any other needs a whole
   * catalogue as `words`.
   */
  readonly locale?: Locale;
  /** Words of the host's own, by their keys in the catalogue; placeholders in braces are filled in as in the original. */
  readonly words?: Partial<Catalogue>;
  /** A client of the host's own making. */
  readonly client?: CalendarClient;
  /** The host's TanStack Query client. Default: one of our own. */
  readonly queryClient?: QueryClient;
  /** Goes to a path of the host without a reload. */
  readonly navigate?: (path: string) => void;
  /** Draws a link with the host router's own component. */
  readonly renderLink?: (props: LinkProps) => ReactElement;
  /** Draws an appointment in the host's own words, such as its type and patient, where the pages name one by its id. */
  readonly renderAppointment?: (appointmentId: string) => ReactNode;
  /** Draws whoever did something, in the journal, by the id that the router's `actor` handed on. */
  readonly renderActor?: (actor: string) => ReactNode;
  /** Where the host shows an appointment: the pages then offer to open it. */
  readonly appointmentPath?: (appointmentId: string) => string;
  /** Where the host shows the pages. */
  readonly paths?: Partial<SettingsPaths>;
  /** Where an account sees its calendars. Default: Google Calendar, as that account. */
  readonly googleCalendarUrl?: (googleEmail: string) => string;
  /**
   * Google's mark, where the host may show it: on the card, and on the button that begins the consent. Default: an icon
   * of our own.
   */
  readonly googleMark?: ReactNode;
  /** Leaves the page for the consent. Default: `window.location.assign`. */
  readonly redirect?: (url: string) => void;
  /** Whether the pages put their name before the host's in the document's title. Default: they do. */
  readonly setsTitle?: boolean;
}

/** Tells the components below it about the host. Keep the functions, `paths` and `words` stable between renders. */
export function CalendarProvider({ children, ...props }: CalendarProviderProps): ReactElement {
  const { basePath, client, queryClient, navigate, renderLink, paths, words, redirect, setsTitle = true } = props;
  const { renderAppointment, renderActor, appointmentPath, googleCalendarUrl, googleMark } = props;
  const locale = props.locale ?? documentLocale();
  const ownClient = useMemo(
    () => client ?? createCalendarClient(basePath === undefined ? { locale } : { basePath, locale }),
    [client, basePath, locale],
  );
  const ownQueryClient = useMemo(() => queryClient ?? new QueryClient(), [queryClient]);
  // Asking again on focus and on the network's return is the mounted client's; a host's own may be mounted twice.
  useEffect(() => {
    ownQueryClient.mount();
    return () => ownQueryClient.unmount();
  }, [ownQueryClient]);
  const host = useMemo<Host>(
    () =>
      createHost({
        client: ownClient,
        queryClient: ownQueryClient,
        locale,
        navigate,
        renderLink,
        renderAppointment,
        renderActor,
        appointmentPath,
        paths,
        words,
        setsTitle,
        googleMark,
        ...(redirect ? { redirect } : {}),
        ...(googleCalendarUrl ? { googleCalendarUrl } : {}),
      }),
    [
      ownClient,
      ownQueryClient,
      locale,
      navigate,
      renderLink,
      renderAppointment,
      renderActor,
      appointmentPath,
      paths,
      words,
      redirect,
      googleCalendarUrl,
      googleMark,
      setsTitle,
    ],
  );
  return (
    <I18nProvider locale={locale}>
      <HostContext.Provider value={host}>{children}</HostContext.Provider>
    </I18nProvider>
  );
}
