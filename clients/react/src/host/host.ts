/**
 * What the host gives to the components: where the router is, how to navigate, which language.
 * Every part has a default, so that a component works without a provider around it.
 */
import { QueryClient } from "@tanstack/react-query";
import { createContext, useContext, type ReactElement, type ReactNode } from "react";
import { createCalendarClient, type CalendarClient } from "../api/client";
import type { Catalogue } from "../i18n/catalogue";
import { createTranslate, resolveLocale, type Locale, type Translate } from "../i18n/message";

/** Where the host shows the pages. */
export interface SettingsPaths {
  readonly profile: string;
  readonly organisation: string;
  readonly integrations: string;
  readonly googleCalendar: string;
  readonly security: string;
}

/** What a link is drawn from; spread it onto the host router's own link component. */
export interface LinkProps {
  readonly href: string;
  readonly children: ReactNode;
  readonly className?: string;
  readonly "aria-current"?: "page" | "true" | undefined;
  readonly "aria-label"?: string | undefined;
}

/** What the components know of the host. */
export interface Host {
  readonly client: CalendarClient;
  readonly queryClient: QueryClient;
  readonly locale: Locale;
  readonly t: Translate;
  readonly paths: SettingsPaths;
  /** Goes to a path of the host without a reload. Absent: links reload. */
  readonly navigate: ((path: string) => void) | undefined;
  /** Draws a link with the host router's own component. Absent: `<a>` with `navigate`. */
  readonly renderLink: ((props: LinkProps) => ReactElement) | undefined;
  /** Draws an appointment in the host's own words, such as its type and patient; the service knows neither. */
  readonly renderAppointment: ((appointmentId: string) => ReactNode) | undefined;
  /** Draws whoever did something in the host's own words, by the id that the host's router handed on. */
  readonly renderActor: ((actor: string) => ReactNode) | undefined;
  /** Where the host shows an appointment. */
  readonly appointmentPath: ((appointmentId: string) => string) | undefined;
  /** Where an account sees its calendars at Google. */
  readonly googleCalendarUrl: (googleEmail: string) => string;
  /** Google's mark, where the host may show it. Absent: an icon of our own on the card, none on the button. */
  readonly googleMark: ReactNode;
  /** Leaves the page for the consent. */
  readonly redirect: (url: string) => void;
  /** Whether the pages name the document. */
  readonly setsTitle: boolean;
}

/** Where the pages are when the host does not say otherwise. */
export const DEFAULT_PATHS: SettingsPaths = {
  profile: "/settings/profile",
  organisation: "/settings/organisation",
  integrations: "/settings/integrations",
  googleCalendar: "/settings/integrations/google-calendar",
  security: "/settings/security",
};

/** What a host is built from; whatever is absent has a default. */
export type HostParts = Partial<Omit<Host, "t" | "paths">> & {
  readonly paths?: Partial<SettingsPaths> | undefined;
  /** The host's own words, by their keys. */
  readonly words?: Partial<Catalogue> | undefined;
};

/** The language of the document; French where there is none, as on a host's server. */
export function documentLocale(): Locale {
  return resolveLocale(typeof document === "undefined" ? undefined : document.documentElement.lang);
}

/** Builds a host from what is given, and defaults for the rest. */
export function createHost(given: HostParts = {}): Host {
  const locale = given.locale ?? documentLocale();
  return {
    client: given.client ?? createCalendarClient({ locale }),
    queryClient: given.queryClient ?? new QueryClient(),
    locale,
    t: createTranslate(locale, given.words),
    paths: { ...DEFAULT_PATHS, ...given.paths },
    navigate: given.navigate,
    renderLink: given.renderLink,
    renderAppointment: given.renderAppointment,
    renderActor: given.renderActor,
    appointmentPath: given.appointmentPath,
    googleCalendarUrl: given.googleCalendarUrl ?? calendarAtGoogle,
    googleMark: given.googleMark,
    redirect: given.redirect ?? ((url) => window.location.assign(url)),
    setsTitle: given.setsTitle ?? true,
  };
}

function calendarAtGoogle(googleEmail: string): string {
  return `https://calendar.google.com/calendar/?${new URLSearchParams({ authuser: googleEmail }).toString()}`;
}

/** Holds the host given by the nearest `CalendarProvider`. */
export const HostContext = createContext<Host | null>(null);

let defaultHost: Host | undefined;

/** Answers the host, or the default one outside of a provider. */
export function useHost(): Host {
  return useContext(HostContext) ?? (defaultHost ??= createDefaultHost());
}

function createDefaultHost(): Host {
  const host = createHost();
  // On a host's server nothing is asked, and nothing may be kept.
  if (typeof window !== "undefined") host.queryClient.mount();
  return host;
}
