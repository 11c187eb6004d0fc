/**
 * How the integration stands, kept fresh by the stream, and by polling while the stream is silent.
 * Its invariants: settings that are being saved show at once and fall back to the service's word when they are refused;
 * the last failure stands until an answer is there, so that asking again changes nothing on the page.
 */
import { useMutationState, useQuery, type QueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import type { CalendarClient } from "../api/client";
import { RequestFailure } from "../api/failure";
import { StatusStream, type Freshness } from "../api/stream";
import { readClock, useOnline } from "../host/browser";
import { useHost } from "../host/host";
import type { IntegrationStatusJson, SettingsBody } from "../wire";
import { keys } from "./keys";

// Together not beyond 15 s, after which the page has to say that it may be stale.
const POLL_MS = 10_000;
const ANSWER_MS = 5_000;
/** How long the first answer may take, while there is nothing yet that could be stale. */
const FIRST_ANSWER_MS = 15_000;
const POLL_DURING_PROGRESS_MS = 2_000;

/**
 * What the last answers told. A failure is kept like an answer: TanStack Query forgets an error as soon as it asks again.
 */
interface Known {
  readonly status: IntegrationStatusJson | undefined;
  readonly failure: RequestFailure | null;
  /** When `status` was answered; `null` until it was. */
  readonly answeredAt: Date | null;
}

/** What is known of the integration. */
export interface StatusView {
  /** The latest known status, with settings that are being saved; `undefined` until the first answer. */
  readonly status: IntegrationStatusJson | undefined;
  /** Why the latest question got no answer; `null` if it did, and until the first one is settled. */
  readonly failure: RequestFailure | null;
  /** Whether the service cannot be asked at the moment; `status` is then the last known one. */
  readonly isUnavailable: boolean;
  /** Whether the reader's session has ended: nothing is asked any more until the page has focus again. */
  readonly isSignedOut: boolean;
  readonly isOnline: boolean;
  /** Whether nobody can be asked at the moment, so that `status` is no more than what was known last. */
  readonly isLastKnown: boolean;
  /** When it was last known that `status` is so; `null` until it was. */
  readonly knownAt: Date | null;
  /** How fresh the stream keeps `status`. */
  readonly freshness: Freshness;
  /** Asks again now; answers why there is no answer, `null` if there is. */
  readonly refresh: () => Promise<RequestFailure | null>;
}

const streams = new WeakMap<QueryClient, Map<CalendarClient, StatusStream>>();

function streamOf(client: CalendarClient, queryClient: QueryClient): StatusStream {
  const ofQueryClient = streams.get(queryClient) ?? new Map<CalendarClient, StatusStream>();
  streams.set(queryClient, ofQueryClient);
  const stream =
    ofQueryClient.get(client) ??
    new StatusStream(
      client,
      (status) => void keepStatus(client, queryClient, status),
      () => void queryClient.invalidateQueries({ queryKey: keys.status(client) }),
    );
  if (!ofQueryClient.has(client)) noticeSignOut(client, queryClient);
  ofQueryClient.set(client, stream);
  return stream;
}

/** Asks how things stand as soon as anything else is answered that nobody is signed in any more. */
function noticeSignOut(client: CalendarClient, queryClient: QueryClient): void {
  const notice = (error: unknown, key: readonly unknown[] | undefined) => {
    if (!(error instanceof RequestFailure) || error.kind !== "signed_out") return;
    if (!keys.isOf(client, key)) return;
    void queryClient.invalidateQueries({ queryKey: keys.status(client) });
  };
  queryClient.getMutationCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "error") {
      notice(event.action.error, event.mutation.options.mutationKey);
    }
  });
  queryClient.getQueryCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "error") {
      notice(event.action.error, event.query.queryKey as readonly unknown[]);
    }
  });
}

/** Keeps a status that arrived by another way than the question itself; an answer still under way is dropped as older. */
export async function keepStatus(
  client: CalendarClient,
  queryClient: QueryClient,
  status: IntegrationStatusJson,
): Promise<void> {
  const queryKey = keys.status(client);
  await queryClient.cancelQueries({ queryKey });
  queryClient.setQueryData<Known>(queryKey, { status, failure: null, answeredAt: readClock() });
}

/** The latest known status, without asking. */
export function knownStatus(client: CalendarClient, queryClient: QueryClient): IntegrationStatusJson | undefined {
  return known(client, queryClient)?.status;
}

function known(client: CalendarClient, queryClient: QueryClient): Known | undefined {
  return queryClient.getQueryData<Known>(keys.status(client));
}

/** Follows the status of the integration. */
export function useStatus(): StatusView {
  const { client, queryClient } = useHost();
  const hasNetwork = useOnline();
  const stream = streamOf(client, queryClient);
  const freshness = useSyncExternalStore(stream.subscribe, stream.freshness, stream.freshness);

  const queryKey = keys.status(client);
  const query = useQuery<Known>(
    {
      queryKey,
      queryFn: async ({ signal }) => {
        const isFirst = knownStatus(client, queryClient) === undefined;
        try {
          const status = await client.status(signal, isFirst ? FIRST_ANSWER_MS : ANSWER_MS);
          return { status, failure: null, answeredAt: readClock() };
        } catch (failure) {
          if (!(failure instanceof RequestFailure)) throw failure;
          const { status, answeredAt = null } = known(client, queryClient) ?? {};
          return { status, failure, answeredAt };
        }
      },
      networkMode: "always",
      retry: false,
      staleTime: (asked) => (asked.state.data?.failure ? 0 : 5_000),
      refetchOnReconnect: "always",
      refetchInterval: (asked) => {
        if (freshness === "live" || isSignedOutBy(asked.state.data)) return false;
        const status = asked.state.data?.status;
        return status?.catchUp || status?.disconnect ? POLL_DURING_PROGRESS_MS : POLL_MS;
      },
    },
    queryClient,
  );

  const isSignedOut = isSignedOutBy(query.data);
  useEffect(() => stream.pause(isSignedOut), [stream, isSignedOut]);

  const saving = useMutationState<SettingsBody | undefined>(
    {
      filters: { mutationKey: keys.settings(client), status: "pending" },
      select: (mutation) => mutation.state.variables as SettingsBody | undefined,
    },
    queryClient,
  );

  const { status, failure = null, answeredAt = null } = query.data ?? {};
  // Back on the network, nothing is known before somebody has answered.
  const isOnline = hasNetwork && !(freshness === "silent" && failure?.kind === "offline");
  const isUnavailable = freshness === "unavailable" || (freshness === "silent" && isNoAnswer(failure));
  return {
    status: status && withSettings(status, saving),
    failure,
    isUnavailable,
    isSignedOut,
    isOnline,
    isLastKnown: isUnavailable || !isOnline,
    knownAt: later(answeredAt, stream.vouchedAt()),
    freshness,
    refresh: async () => (await query.refetch()).data?.failure ?? null,
  };
}

function isSignedOutBy(known: Known | undefined): boolean {
  return known?.failure?.kind === "signed_out";
}

function later(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one > other ? one : other;
}

/** Whether the router was not reached: nothing says then how things stand. */
function isNoAnswer(failure: RequestFailure | null): boolean {
  return failure !== null && ["unavailable", "foreign", "refused"].includes(failure.kind);
}

/** Lays settings that are being saved over a status. The calendar is left alone: its move is confirmed, not assumed. */
function withSettings(
  status: IntegrationStatusJson,
  saving: readonly (SettingsBody | undefined)[],
): IntegrationStatusJson {
  return saving.reduce<IntegrationStatusJson>(
    (shown, body) => ({
      ...shown,
      isEnabled: body?.isEnabled ?? shown.isEnabled,
      titlePrivacy: body?.titlePrivacy ?? shown.titlePrivacy,
    }),
    status,
  );
}
