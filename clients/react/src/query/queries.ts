/** What the pages ask beside the status: calendars, links in error, the preview. Each asks only while it is shown. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { RequestFailure } from "../api/failure";
import { useHost } from "../host/host";
import type {
  AppointmentLinkJson,
  CalendarsAnswer,
  EventPreviewJson,
  HistoryAnswer,
  IntegrationStatusJson,
  JournalAnswer,
  LinksAnswer,
  TitlePrivacyJson,
} from "../wire";
import { keys } from "./keys";

const LINKS_PAGE_SIZE = 20;

/**
 * Asks for the calendars that the account may write to, in the order of the service. With `isAnew` it asks again when it is
 * mounted, however young the list is: before a choice is made, what was deleted at Google should be gone.
 */
export function useCalendars(isEnabled: boolean, isAnew = false): UseQueryResult<CalendarsAnswer, RequestFailure> {
  const { client, queryClient } = useHost();
  return useQuery<CalendarsAnswer, RequestFailure>(
    {
      queryKey: keys.calendars(client),
      queryFn: ({ signal }) => client.calendars(signal),
      networkMode: "always",
      retry: false,
      enabled: isEnabled,
      staleTime: 60_000,
      refetchOnMount: isAnew ? "always" : true,
    },
    queryClient,
  );
}

/** Asks for the last acts, anew whenever somebody looks, something was done here, or `status` tells of an act elsewhere. */
export function useJournal(status: IntegrationStatusJson | undefined): UseQueryResult<JournalAnswer, RequestFailure> {
  const { client, queryClient } = useHost();
  const digest = actsOf(status);
  const seen = useRef(digest);
  useEffect(() => {
    if (seen.current === digest) return;
    seen.current = digest;
    void queryClient.invalidateQueries({ queryKey: keys.journal(client) });
  }, [client, queryClient, digest]);
  useEffect(
    () =>
      queryClient.getMutationCache().subscribe(({ type, mutation }) => {
        const key = mutation?.options.mutationKey;
        if (type !== "updated" || mutation.state.status === "pending" || !keys.isOf(client, key)) return;
        void queryClient.invalidateQueries({ queryKey: keys.journal(client) });
      }),
    [client, queryClient],
  );
  return useQuery<JournalAnswer, RequestFailure>(
    {
      queryKey: keys.journal(client),
      queryFn: ({ signal }) => client.journal(signal),
      networkMode: "always",
      retry: false,
    },
    queryClient,
  );
}

/** What of a status is as it is by somebody's act. */
function actsOf(status: IntegrationStatusJson | undefined): string {
  const { state, isEnabled, titlePrivacy, calendar, connectTime, catchUp, pendingAccount } = status ?? {};
  return JSON.stringify([
    state,
    isEnabled,
    titlePrivacy,
    calendar?.id,
    connectTime,
    catchUp?.startTime,
    pendingAccount,
  ]);
}

/** Asks for the latest calls of Google for an appointment. */
export function useHistory(appointmentId: string): UseQueryResult<HistoryAnswer, RequestFailure> {
  const { client, queryClient } = useHost();
  return useQuery<HistoryAnswer, RequestFailure>(
    {
      queryKey: [...keys.history(client), appointmentId],
      queryFn: ({ signal }) => client.history(appointmentId, signal),
      networkMode: "always",
      retry: false,
    },
    queryClient,
  );
}

/** Asks for the sample event as it would be written with `titlePrivacy`; the previous one stays until it is there. */
export function usePreview(titlePrivacy: TitlePrivacyJson): UseQueryResult<EventPreviewJson, RequestFailure> {
  const { client, queryClient, locale } = useHost();
  return useQuery<EventPreviewJson, RequestFailure>(
    {
      queryKey: [...keys.preview(client), titlePrivacy, locale],
      queryFn: ({ signal }) => client.preview({ titlePrivacy }, signal),
      networkMode: "always",
      retry: false,
      staleTime: 5 * 60_000,
      placeholderData: keepPreviousData,
    },
    queryClient,
  );
}

/** The pages of links in error that were asked for so far. */
export type LinksInError = UseInfiniteQueryResult<readonly AppointmentLinkJson[], RequestFailure>;

/** The service lists by id. A page is put in order by itself, so that a row never moves when the next page comes. */
function byDate(links: readonly AppointmentLinkJson[]): AppointmentLinkJson[] {
  const time = ({ startTime }: AppointmentLinkJson) => (startTime === null ? Infinity : Date.parse(startTime));
  return links.toSorted((one, other) => (time(one) < time(other) ? -1 : Number(time(one) > time(other))));
}

/** How often at most the list is asked for again by itself. */
const LINKS_EVERY_MS = 1_000;

/**
 * Asks for the appointments that stand in error, and again whenever `digest` changes. The status tells no more of errors
 * than their count, which stays when one goes and another comes: so the digest is of all counts and of the last sync.
 */
export function useLinksInError(digest: string): LinksInError {
  const { client, queryClient } = useHost();
  const seen = useRef(digest);
  const askedAt = useRef(-Infinity);
  useEffect(() => {
    if (seen.current === digest) return;
    const waitMs = Math.max(askedAt.current + LINKS_EVERY_MS - performance.now(), 0);
    const timer = setTimeout(() => {
      seen.current = digest;
      askedAt.current = performance.now();
      void queryClient.invalidateQueries({ queryKey: keys.linksInError(client) });
      void queryClient.invalidateQueries({ queryKey: keys.history(client) });
    }, waitMs);
    return () => clearTimeout(timer);
  }, [client, queryClient, digest]);
  return useInfiniteQuery<
    LinksAnswer,
    RequestFailure,
    readonly AppointmentLinkJson[],
    ReturnType<typeof keys.linksInError>,
    string
  >(
    {
      queryKey: keys.linksInError(client),
      queryFn: ({ pageParam, signal }) =>
        client.links({ syncStatus: "error", pageSize: LINKS_PAGE_SIZE, pageToken: pageParam }, signal),
      initialPageParam: "",
      getNextPageParam: (page) => page.nextPageToken,
      select: (data: InfiniteData<LinksAnswer, string>) => data.pages.flatMap((page) => byDate(page.links)),
      networkMode: "always",
      retry: false,
    },
    queryClient,
  );
}
