/**
 * What the pages ask of the demo's own server. The integration's requests are the settings pages' own matter.
 */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import type { RdvAnswer, RdvFields, RdvJson, RdvListAnswer, RdvOneAnswer, SessionAnswer } from "../shared/agenda";

/** A change of a RDV that a person asks for. */
export type RdvChange =
  | { kind: "create"; fields: RdvFields }
  | { kind: "edit"; id: string; fields: RdvFields }
  | { kind: "turn"; id: string; state: "scheduled" | "cancelled" }
  | { kind: "delete"; id: string };

/** Names the mutation that signs somebody in or out. */
export const SIGN_IN = ["sign-in"];

async function ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`/api${path}`, {
    method,
    ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Error("Cassius est injoignable. Vérifiez votre connexion, puis réessayez.");
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error((answer as { message: string }).message);
  return answer as Answer;
}

/** Who is signed in, and who might be. */
export function useSession() {
  return useQuery({
    queryKey: ["session"],
    queryFn: () => ask<SessionAnswer>("GET", "/session"),
    staleTime: Infinity,
  });
}

/** Signs somebody in, or out. Everything that was shown to the person before is forgotten, and not asked for again. */
export function useSignIn() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationKey: SIGN_IN,
    mutationFn: (personId: string | null) =>
      personId === null
        ? ask<SessionAnswer>("DELETE", "/session")
        : ask<SessionAnswer>("POST", "/session", { personId }),
    onSuccess: (session) => {
      queryClient.removeQueries({ queryKey: ["rdv"] });
      queryClient.setQueryData(["session"], session);
    },
  });
}

/** The RDV of a stretch of time. */
export function useRdvs(from: string, to: string) {
  return useQuery({
    queryKey: ["rdv", from, to],
    queryFn: () => ask<RdvListAnswer>("GET", `/rdv?${new URLSearchParams({ from, to }).toString()}`),
    select: (answer) => answer.rdvs,
    placeholderData: (before) => before,
  });
}

/** One RDV, by the id that a link names; nothing is asked without one. */
export function useRdv(id: string | null) {
  return useQuery({
    queryKey: ["rdv", id],
    queryFn: () => ask<RdvOneAnswer>("GET", `/rdv/${encodeURIComponent(id ?? "")}`),
    select: (answer) => answer.rdv,
    enabled: id !== null,
    retry: false,
  });
}

/** Changes RDV. A change is done once the calendar shows it; a failure is told at once. */
export function useRdvChange() {
  const queryClient = useQueryClient();
  const refresh = () => queryClient.invalidateQueries({ queryKey: ["rdv"] });
  return useMutation({
    mutationFn: (change: RdvChange) => send(change),
    onSuccess: refresh,
    onError: () => void refresh(),
  });
}

function send(change: RdvChange): Promise<RdvAnswer> {
  switch (change.kind) {
    case "create":
      return ask("POST", "/rdv", change.fields);
    case "edit":
      return ask("PUT", `/rdv/${change.id}`, change.fields);
    case "turn":
      return ask("PATCH", `/rdv/${change.id}`, { state: change.state });
    case "delete":
      return ask("DELETE", `/rdv/${change.id}`);
  }
}

/** The fields of a RDV, without what a person does not write. */
export function fieldsOf({ type, patientName, practitionerName, location, startTime, endTime }: RdvJson): RdvFields {
  return { type, patientName, practitionerName, location, startTime, endTime };
}
