/**
 * What a person can make the service do. Each answer that holds a status is kept at once, so that the page never shows
 * the state before the action after it has succeeded. Nothing is queued while offline: an action fails where it is seen.
 */
import { useMutation, type UseMutationResult } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { RequestFailure } from "../api/failure";
import { useHost } from "../host/host";
import { returnPathOf } from "../host/returnPath";
import type {
  ConfirmAccountBody,
  DisconnectAnswer,
  DisconnectBody,
  EraseAnswer,
  EraseBody,
  IntegrationStatusJson,
  RetryAnswer,
  SettingsBody,
  SyncNowAnswer,
  TestEventAnswer,
} from "../wire";
import { keys } from "./keys";
import { keepStatus, knownStatus } from "./useStatus";

/** What has begun the catch-up that is under way, for the words of its end. */
export interface CatchUpCause {
  readonly settings: SettingsBody;
  /** The calendar before was out of reach: nothing could be moved out of it. */
  readonly wasCalendarLost: boolean;
}

/** Saves settings: shown at once by `useStatus`, one after the other, and taken back when refused. */
export function useUpdateSettings(): UseMutationResult<IntegrationStatusJson, RequestFailure, SettingsBody> {
  const { client, queryClient } = useHost();
  return useMutation<IntegrationStatusJson, RequestFailure, SettingsBody>(
    {
      mutationKey: keys.settings(client),
      mutationFn: async (settings) => {
        const wasCalendarLost = knownStatus(client, queryClient)?.problem?.action === "choose_calendar";
        const status = await client.updateSettings(settings);
        const cause: CatchUpCause = { settings, wasCalendarLost };
        if (status.catchUp) queryClient.setQueryData<CatchUpCause>(keys.catchUpCause(client), cause);
        return status;
      },
      scope: { id: keys.settings(client).join(" ") },
      networkMode: "always",
      // Awaited, so that the saved value is in place before the optimistic one is taken away.
      onSuccess: (status) => keepStatus(client, queryClient, status),
      onError: (failure) => {
        // The list that was chosen from still held a calendar that is gone.
        if (failure.reason !== "CALENDAR_UNAVAILABLE") return;
        void queryClient.invalidateQueries({ queryKey: keys.calendars(client) });
      },
    },
    queryClient,
  );
}

/** Catches up now. */
export function useSyncNow(): UseMutationResult<SyncNowAnswer, RequestFailure, void> {
  const { client, queryClient } = useHost();
  return useMutation<SyncNowAnswer, RequestFailure>(
    {
      mutationKey: keys.syncNow(client),
      mutationFn: () => client.syncNow(),
      networkMode: "always",
      onSuccess: (answer) => {
        // What it began, or has joined, ends in its own words.
        if (answer.queuedCount > 0) queryClient.removeQueries({ queryKey: keys.catchUpCause(client) });
        return keepStatus(client, queryClient, answer.status);
      },
    },
    queryClient,
  );
}

/** Counts how the calendar differs from what it should be; changes nothing. */
export function useCompare(): UseMutationResult<SyncNowAnswer, RequestFailure, void> {
  const { client, queryClient } = useHost();
  return useMutation<SyncNowAnswer, RequestFailure>(
    {
      mutationKey: keys.compare(client),
      mutationFn: () => client.compare(),
      networkMode: "always",
      onSuccess: (answer) => keepStatus(client, queryClient, answer.status),
    },
    queryClient,
  );
}

/** Writes an event of no patient, and removes it again. */
export function useTestEvent(): UseMutationResult<TestEventAnswer, RequestFailure, void> {
  const { client, queryClient } = useHost();
  return useMutation<TestEventAnswer, RequestFailure>(
    { mutationKey: keys.testEvent(client), mutationFn: () => client.testEvent(), networkMode: "always" },
    queryClient,
  );
}

/** Takes or drops the other account that waits. A taken one has other calendars and other links. */
export function useConfirmAccount(): UseMutationResult<IntegrationStatusJson, RequestFailure, ConfirmAccountBody> {
  const { client, queryClient } = useHost();
  return useMutation<IntegrationStatusJson, RequestFailure, ConfirmAccountBody>(
    {
      mutationKey: keys.confirmAccount(client),
      mutationFn: (body) => client.confirmAccount(body),
      networkMode: "always",
      onSuccess: (status) => {
        void keepStatus(client, queryClient, status);
        void queryClient.invalidateQueries({ queryKey: keys.calendars(client) });
        void queryClient.invalidateQueries({ queryKey: keys.linksInError(client) });
      },
      onError: (failure) => {
        // It was answered elsewhere, or its time is up.
        if (failure.reason !== "NO_PENDING_ACCOUNT") return;
        void queryClient.invalidateQueries({ queryKey: keys.status(client) });
      },
    },
    queryClient,
  );
}

/** Disconnects the account. */
export function useDisconnect(): UseMutationResult<DisconnectAnswer, RequestFailure, DisconnectBody> {
  const { client, queryClient } = useHost();
  return useMutation<DisconnectAnswer, RequestFailure, DisconnectBody>(
    {
      mutationKey: keys.disconnect(client),
      mutationFn: (body) => client.disconnect(body),
      networkMode: "always",
      onSuccess: (answer) => {
        void keepStatus(client, queryClient, answer.status);
        queryClient.removeQueries({ queryKey: keys.calendars(client) });
        queryClient.removeQueries({ queryKey: keys.linksInError(client) });
      },
    },
    queryClient,
  );
}

/** Erases everything of the practice, at Google and in the service; asked again, it tells how far that is. */
export function useErase(): UseMutationResult<EraseAnswer, RequestFailure, EraseBody> {
  const { client, queryClient } = useHost();
  return useMutation<EraseAnswer, RequestFailure, EraseBody>(
    {
      mutationKey: keys.erase(client),
      mutationFn: (body) => client.erase(body),
      networkMode: "always",
      onSuccess: (answer) => {
        void keepStatus(client, queryClient, answer.status);
        queryClient.removeQueries({ queryKey: keys.calendars(client) });
        queryClient.removeQueries({ queryKey: keys.linksInError(client) });
        void queryClient.invalidateQueries({ queryKey: keys.linkOf(client) });
      },
    },
    queryClient,
  );
}

/** Starts the consent and leaves the page for it, unless the reader has left it first; it comes back to the same address. */
export function useConnect(): UseMutationResult<unknown, RequestFailure, void> {
  const { client, queryClient, redirect } = useHost();
  const isMounted = useRef(false);
  const connect = useMutation<unknown, RequestFailure>(
    {
      mutationKey: keys.connect(client),
      mutationFn: async () => {
        const answer = await client.beginConnect({ returnPath: returnPathOf(window.location) });
        if (isMounted.current) redirect(webUrl(answer.connectUrl));
      },
      networkMode: "always",
    },
    queryClient,
  );
  const { reset } = connect;
  useEffect(() => {
    isMounted.current = true;
    // Back from Google, the browser may show the page as it was left: on its way there.
    const onShow = (event: PageTransitionEvent) => {
      if (event.persisted) reset();
    };
    window.addEventListener("pageshow", onShow);
    return () => {
      isMounted.current = false;
      window.removeEventListener("pageshow", onShow);
    };
  }, [reset]);
  return connect;
}

/** Tries appointments again: those named, or all that stand in error. */
export function useRetry(): UseMutationResult<RetryAnswer, RequestFailure, readonly string[] | "all"> {
  const { client, queryClient } = useHost();
  return useMutation<RetryAnswer, RequestFailure, readonly string[] | "all">(
    {
      mutationKey: keys.retry(client),
      mutationFn: (which) => client.retry(which === "all" ? {} : { appointmentIds: [...which] }),
      networkMode: "always",
      onSuccess: () =>
        Promise.all([
          queryClient.invalidateQueries({ queryKey: keys.linksInError(client) }),
          queryClient.invalidateQueries({ queryKey: keys.linkOf(client) }),
          queryClient.invalidateQueries({ queryKey: keys.status(client) }),
        ]),
    },
    queryClient,
  );
}

/** Lets through a web address alone: an address such as `javascript:` must never be followed. */
function webUrl(address: string): string {
  const url = new URL(address, window.location.origin);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new TypeError("the consent page has no web address");
  return url.href;
}
