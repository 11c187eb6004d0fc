/**
 * How the integration stands, kept fresh by the stream, and by polling while the stream is silent.
 * Its invariant: settings that are being saved show at once and fall back to the service's word when they are refused.
 */
import { useMutationState, useQuery, type QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import type { CalendarClient } from "../api/client";
import type { RequestFailure } from "../api/failure";
import { StatusStream, type Freshness } from "../api/stream";
import { useOnline } from "../host/browser";
import { useHost } from "../host/host";
import type { IntegrationStatusJson, SettingsBody } from "../wire";
import { keys } from "./keys";

const POLL_MS = 15_000;
const POLL_DURING_CATCH_UP_MS = 2_000;

/** What is known of the integration. */
export interface StatusView {
  /** The latest known status, with settings that are being saved; `undefined` until the first answer. */
  readonly status: IntegrationStatusJson | undefined;
  /** Why the latest question got no answer; `null` if it did. */
  readonly failure: RequestFailure | null;
  /** Whether the service cannot be asked at the moment; `status` is then the last known one. */
  readonly isUnavailable: boolean;
  readonly isOnline: boolean;
  /** How fresh the stream keeps `status`. */
  readonly freshness: Freshness;
  /** Asks again now. */
  readonly refresh: () => void;
}

const streams = new WeakMap<QueryClient, Map<CalendarClient, StatusStream>>();

function streamOf(client: CalendarClient, queryClient: QueryClient): StatusStream {
  const ofQueryClient = streams.get(queryClient) ?? new Map<CalendarClient, StatusStream>();
  streams.set(queryClient, ofQueryClient);
  const stream =
    ofQueryClient.get(client) ?? new StatusStream(client, (status) => keepStatus(client, queryClient, status));
  ofQueryClient.set(client, stream);
  return stream;
}

/** Keeps a status that arrived by another way than the question itself; an answer still under way is dropped as older. */
export function keepStatus(client: CalendarClient, queryClient: QueryClient, status: IntegrationStatusJson): void {
  const queryKey = keys.status(client);
  void queryClient.cancelQueries({ queryKey }).then(() => queryClient.setQueryData(queryKey, status));
}

/** Follows the status of the integration. */
export function useStatus(): StatusView {
  const { client, queryClient } = useHost();
  const isOnline = useOnline();
  const stream = streamOf(client, queryClient);
  const freshness = useSyncExternalStore(stream.subscribe, stream.freshness, stream.freshness);

  const query = useQuery<IntegrationStatusJson, RequestFailure>(
    {
      queryKey: keys.status(client),
      queryFn: ({ signal }) => client.status(signal),
      networkMode: "always",
      retry: false,
      staleTime: 5_000,
      refetchOnReconnect: "always",
      refetchInterval: (asked) => {
        if (freshness === "live") return false;
        return asked.state.data?.catchUp ? POLL_DURING_CATCH_UP_MS : POLL_MS;
      },
    },
    queryClient,
  );

  const saving = useMutationState<SettingsBody | undefined>(
    {
      filters: { mutationKey: keys.settings(client), status: "pending" },
      select: (mutation) => mutation.state.variables as SettingsBody | undefined,
    },
    queryClient,
  );

  return {
    status: query.data && withSettings(query.data, saving),
    failure: query.error,
    isUnavailable: freshness === "unavailable" || (freshness === "silent" && query.error?.kind === "unavailable"),
    isOnline,
    freshness,
    refresh: () => void query.refetch(),
  };
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
