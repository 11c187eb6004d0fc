import { create, fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, expectTypeOf, it } from "vitest";

import { AppointmentLinkSchema, SyncStatus } from "../../src/gen/cassius/calendar/v1/appointment_sync_pb.js";
import {
  CalendarAccessRole,
  CalendarSchema,
  IntegrationState,
  IntegrationStatusSchema,
  ProblemAction,
  TitlePrivacy,
} from "../../src/gen/cassius/calendar/v1/calendar_integration_pb.js";
import { ErrorReason } from "../../src/gen/cassius/calendar/v1/error_reason_pb.js";
import { calendarJson, linkJson, statusJson } from "../../src/rest/json.js";
import type { ServiceReason } from "../../src/rest/types.js";

const at = (iso: string) => timestampFromDate(new Date(iso));
const status = (init: MessageInitShape<typeof IntegrationStatusSchema>) => create(IntegrationStatusSchema, init);

it("a status in trouble is told field by field", () => {
  expect(
    statusJson(
      status({
        state: IntegrationState.ERROR,
        googleEmail: "cabinet@example.com",
        calendar: { id: "c@group", name: "Cabinet", timeZone: "Europe/Paris", color: "#0b8043", isPrimary: true },
        isEnabled: true,
        titlePrivacy: TitlePrivacy.INITIALS,
        connectTime: at("2026-01-05T08:00:00Z"),
        lastSyncTime: at("2026-01-06T08:00:00.250Z"),
        counts: { pending: 1, synced: 2, error: 3, upcomingEvents: 4, unsent: 5 },
        catchUp: { total: 9, done: 5, failed: 1, startTime: at("2026-01-06T07:00:00Z") },
        problem: {
          reason: ErrorReason.RECONNECT_REQUIRED,
          message: "Reconnectez le compte.",
          action: ProblemAction.RECONNECT,
          sinceTime: at("2026-01-06T07:30:00Z"),
        },
      }),
    ),
  ).toEqual({
    state: "error",
    googleEmail: "cabinet@example.com",
    calendar: {
      id: "c@group",
      name: "Cabinet",
      timeZone: "Europe/Paris",
      color: "#0b8043",
      isPrimary: true,
      accessRole: null,
    },
    isEnabled: true,
    titlePrivacy: "initials",
    connectTime: "2026-01-05T08:00:00.000Z",
    lastSyncTime: "2026-01-06T08:00:00.250Z",
    counts: { pending: 1, synced: 2, error: 3, upcomingEvents: 4, unsent: 5 },
    catchUp: { total: 9, done: 5, failed: 1, startTime: "2026-01-06T07:00:00.000Z" },
    problem: {
      reason: "RECONNECT_REQUIRED",
      message: "Reconnectez le compte.",
      action: "reconnect",
      sinceTime: "2026-01-06T07:30:00.000Z",
      retryTime: null,
    },
    disconnect: null,
    pendingAccount: null,
    behindCount: 0,
  });
});

it("a disconnect under way and an account that waits are told with their times", () => {
  const json = statusJson(
    status({
      state: IntegrationState.DISCONNECTING,
      disconnect: { total: 9, done: 5, failed: 1, startTime: at("2026-01-06T07:00:00Z") },
      pendingAccount: {
        googleEmail: "other@example.com",
        upcomingEventCount: 7,
        expireTime: at("2026-01-06T07:15:00Z"),
      },
    }),
  );
  expect(json.state).toBe("disconnecting");
  expect(json.disconnect).toEqual({ total: 9, done: 5, failed: 1, startTime: "2026-01-06T07:00:00.000Z" });
  expect(json.pendingAccount).toEqual({
    googleEmail: "other@example.com",
    upcomingEventCount: 7,
    expireTime: "2026-01-06T07:15:00.000Z",
  });
});

it("an organisation that was never connected has nulls, not blanks", () => {
  const json = statusJson(status({ state: IntegrationState.NOT_CONNECTED }));
  expect(json).toMatchObject({
    state: "not_connected",
    googleEmail: null,
    calendar: null,
    problem: null,
    catchUp: null,
  });
  expect(json.counts).toEqual({ pending: 0, synced: 0, error: 0, upcomingEvents: 0, unsent: 0 });
});

it("values that are newer than this client are told as the careful choice", () => {
  const newer = { state: 42, titlePrivacy: 42, problem: { reason: 42, action: 42 } };
  const json = statusJson(fromJson(IntegrationStatusSchema, newer));
  expect(json).toMatchObject({
    state: "error",
    titlePrivacy: "masked",
    problem: { reason: "INTERNAL", action: "none" },
  });
});

it("a field that the allow list does not name reaches no browser", () => {
  const message = Object.assign(status({ state: IntegrationState.CONNECTED }), { accessToken: "ya29.canary" });
  expect(JSON.stringify(statusJson(message))).not.toContain("canary");
});

it("a calendar tells what the account may do there, and nothing of a role that is not known yet", () => {
  const role = (accessRole: number) => calendarJson(fromJson(CalendarSchema, { accessRole })).accessRole;
  const { UNSPECIFIED, WRITER, OWNER } = CalendarAccessRole;
  const roles = [UNSPECIFIED, WRITER, OWNER, 99].map((value: number) => role(value));
  expect(roles).toEqual([null, "writer", "owner", null]);
});

it("a link in error carries its reason", () => {
  const link = create(AppointmentLinkSchema, {
    appointmentId: "rdv-1",
    provider: "google",
    syncStatus: SyncStatus.ERROR,
    revision: 7n,
    lastError: { reason: ErrorReason.EVENT_REFUSED, message: "Google refuse cet événement.", retryable: false },
  });
  expect(linkJson(link)).toEqual({
    appointmentId: "rdv-1",
    syncStatus: "error",
    externalCalendarId: null,
    externalEventId: null,
    htmlLink: null,
    startTime: null,
    endTime: null,
    lastSyncTime: null,
    nextAttemptTime: null,
    lastError: { reason: "EVENT_REFUSED", message: "Google refuse cet événement.", retryable: false },
  });
});

// Held by the compiler: `npm run typecheck`.
it("the reasons that a browser may be told are those of the wire", () => {
  expectTypeOf<ServiceReason>().toEqualTypeOf<Exclude<keyof typeof ErrorReason, "UNSPECIFIED">>();
});
