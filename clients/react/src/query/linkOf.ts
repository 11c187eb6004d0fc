/**
 * How single appointments stand at Google, for as many of them as a page shows: asked for together, and again when the
 * status tells that something has changed.
 */
import { useQuery, type QueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";
import type { CalendarClient } from "../api/client";
import type { RequestFailure } from "../api/failure";
import { useHost } from "../host/host";
import type { AppointmentLinkJson, IntegrationStatusJson } from "../wire";
import { keys } from "./keys";

/** How many appointments one request names at most. */
const MOST_AT_ONCE = 500;
/** How often at most all of them are asked for again. */
const AGAIN_EVERY_MS = 1_000;

/** Asks for one appointment; `null`: the service has never had it. */
export function useAppointmentLink(
  appointmentId: string,
  isEnabled: boolean,
): UseQueryResult<AppointmentLinkJson | null, RequestFailure> {
  const { client, queryClient } = useHost();
  return useQuery<AppointmentLinkJson | null, RequestFailure>(
    {
      queryKey: [...keys.linkOf(client), appointmentId],
      queryFn: () => askedTogether(client, appointmentId),
      networkMode: "always",
      retry: false,
      enabled: isEnabled,
      staleTime: 5_000,
    },
    queryClient,
  );
}

interface Asked {
  readonly ids: Map<string, ((link: AppointmentLinkJson | null) => void)[]>;
  readonly failed: ((failure: unknown) => void)[];
}

const gathering = new WeakMap<CalendarClient, Asked>();

/** Everything that is asked for in one turn goes in one request. */
function askedTogether(client: CalendarClient, id: string): Promise<AppointmentLinkJson | null> {
  return new Promise((resolve, reject) => {
    let asked = gathering.get(client);
    if (asked === undefined || asked.ids.size >= MOST_AT_ONCE) {
      asked = { ids: new Map(), failed: [] };
      gathering.set(client, asked);
      const gathered = asked;
      setTimeout(() => {
        if (gathering.get(client) === gathered) gathering.delete(client);
        client.linksOf({ appointmentIds: [...gathered.ids.keys()] }).then(
          ({ links }) => {
            const known = new Map(links.map((link) => [link.appointmentId, link]));
            for (const [each, waiting] of gathered.ids) for (const tell of waiting) tell(known.get(each) ?? null);
          },
          (failure: unknown) => gathered.failed.forEach((tell) => tell(failure)),
        );
      });
    }
    asked.ids.set(id, [...(asked.ids.get(id) ?? []), resolve]);
    asked.failed.push(reject);
  });
}

interface Follower {
  digest: string;
  askedAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const followers = new WeakMap<QueryClient, Follower>();

/** Has every appointment that is shown asked for again when the status has changed, however many of them look. */
export function useLinksFollowing(status: IntegrationStatusJson | undefined): void {
  const { client, queryClient } = useHost();
  const digest = status && digestOf(status);
  useEffect(() => {
    if (digest === undefined) return;
    const follower = followers.get(queryClient) ?? { digest, askedAt: -Infinity, timer: undefined };
    followers.set(queryClient, follower);
    if (follower.digest === digest) return;
    follower.digest = digest;
    clearTimeout(follower.timer);
    const waitMs = Math.max(follower.askedAt + AGAIN_EVERY_MS - performance.now(), 0);
    follower.timer = setTimeout(() => {
      follower.askedAt = performance.now();
      void queryClient.invalidateQueries({ queryKey: keys.linkOf(client) });
    }, waitMs);
  }, [client, queryClient, digest]);
}

function digestOf({ state, counts, lastSyncTime, calendar }: IntegrationStatusJson): string {
  return JSON.stringify([state, counts, lastSyncTime, calendar?.id]);
}
