import { afterAll, afterEach, describe, expect, it } from "vitest";

import { toWire } from "../../src/appointment.js";
import { SyncStatus } from "../../src/index.js";
import type {
  CalendarsAnswer,
  ConfirmAccountAnswer,
  DisconnectAnswer,
  EraseAnswer,
  IntegrationStatusJson,
  LinksAnswer,
  PreviewAnswer,
  StatusAnswer,
  SyncNowAnswer,
} from "../../src/rest/types.js";
import { createRouter } from "../../src/rest/index.js";
import { appointment, emulator, Practice, PUBLIC_URL } from "./service.js";

// How Google's tokens and codes begin, at the emulator as at Google.
const SECRETS = [/ya29\./, /1\/\/0/, /4\/0A/];

const practices: Practice[] = [];
const newPractice = () => {
  const practice = new Practice();
  practices.push(practice);
  return practice;
};
afterAll(() => practices.forEach(({ client }) => client.close()));

// Of every answer in this file: those of every route, of refusals, and the stream's.
afterEach(() => {
  for (const { seen } of practices) {
    const everything = seen.join("\n");
    for (const secret of SECRETS) expect(everything).not.toMatch(secret);
  }
});

it("a practice goes the whole way", async () => {
  const practice = newPractice();
  const { organisationId, client } = practice;
  const before = (await practice.ask("GET", "status")).json as StatusAnswer;
  expect(before.status).toMatchObject({ state: "not_connected", googleEmail: null, calendar: null });

  const back = await practice.connect();
  expect(back.origin).toBe(PUBLIC_URL);
  expect(back.pathname).toBe("/settings");
  expect(Object.fromEntries(back.searchParams)).toEqual({ tab: "google", google: "connected" });

  const connected = (await practice.ask("GET", "status")).json as StatusAnswer;
  expect(connected.status).toMatchObject({ state: "connected", googleEmail: practice.account, isEnabled: true });
  expect(connected.status.calendar).toMatchObject({ id: practice.account });

  const added = await emulator<{ id: string }>("POST", `accounts/${practice.account}/calendars`, {
    summary: "Salle 2",
  });
  const { calendars, isListPermitted } = (await practice.ask("GET", "calendars")).json as CalendarsAnswer;
  expect(isListPermitted).toBe(true);
  expect(calendars[0]).toMatchObject({ id: practice.account, isPrimary: true, accessRole: "owner" });
  expect(calendars.map(({ id }) => id)).toContain(added.id);

  const settings = await practice.ask("PATCH", "settings", { calendarId: added.id, titlePrivacy: "initials" });
  expect(settings.json).toMatchObject({ status: { calendar: { id: added.id }, titlePrivacy: "initials" } });

  const preview = (await practice.ask("POST", "preview", { titlePrivacy: "masked" })).json as PreviewAnswer;
  expect(preview.event.title).toBe("[Cassius] Rendez-vous");
  const own = await practice.ask("POST", "preview", {
    appointment: {
      type: "Implant",
      patientName: "Marie Durand",
      startTime: "2026-05-04T09:00:00Z",
      endTime: "2026-05-04T09:30:00Z",
      timeZone: "Europe/Paris",
    },
  });
  expect((own.json as PreviewAnswer).event.title).toBe("[Cassius] Implant — M. D.");

  const sent = toWire(appointment());
  const { link } = await client.appointments.syncAppointment({
    organisationId,
    appointment: sent,
    wait: { seconds: 10n },
  });
  expect(link).toMatchObject({ syncStatus: SyncStatus.SYNCED, externalCalendarId: added.id });

  const links = (await practice.ask("GET", "links?syncStatus=synced&pageSize=10")).json as LinksAnswer;
  expect(links.links).toMatchObject([{ appointmentId: sent.appointmentId, syncStatus: "synced", lastError: null }]);
  expect(links.nextPageToken).toBeNull();
  const asked = await practice.ask("POST", "links", { appointmentIds: [sent.appointmentId, "unknown"] });
  expect(asked.json).toEqual(links);
  const test = await practice.ask("POST", "test-event", {});
  expect(test.json).toEqual({ isWritten: true, isRemoved: true, error: null });
  expect((await practice.ask("GET", "links?syncStatus=error")).json).toEqual({ links: [], nextPageToken: null });
  expect((await practice.ask("POST", "retry", {})).json).toEqual({ queuedCount: 0 });
  expect((await practice.ask("POST", "sync-now", {})).json as SyncNowAnswer).toMatchObject({
    comparison: null,
    status: { state: "connected" },
  });

  const gone = (await practice.ask("POST", "disconnect", { remoteEvents: "delete_upcoming" })).json as DisconnectAnswer;
  const ended = {
    status: { state: "not_connected" },
    deletedEventCount: 1,
    remainingEventCount: 0,
    grantEnd: "revoked",
    search: "whole",
  };
  expect(gone).toMatchObject(ended);
});

it("a dry run counts what somebody did to the events at Google, and mends nothing", async () => {
  const practice = newPractice();
  const { organisationId, client, account } = practice;
  expect((await practice.ask("POST", "sync-now", { dryRun: true })).json).toMatchObject({ reason: "NOT_CONNECTED" });
  await practice.connect();
  const events: string[] = [];
  for (const each of [appointment(), appointment(), appointment()]) {
    const request = { organisationId, appointment: toWire(each), wait: { seconds: 10n } };
    const { link } = await client.appointments.syncAppointment(request);
    events.push(`calendars/${account}/events/${link?.externalEventId ?? ""}`);
  }
  const [vanished = "", altered = ""] = events;
  const counted = async () =>
    ((await practice.ask("POST", "sync-now", { dryRun: true })).json as SyncNowAnswer).comparison;
  const inStep = {
    dueCount: 3,
    remoteCount: 3,
    missingCount: 0,
    alteredCount: 0,
    surplusCount: 0,
    newerCount: 0,
    isPartial: false,
  };
  // An event that was written within the last two seconds is not judged yet.
  await expect.poll(counted, { timeout: 10_000 }).toEqual(inStep);

  await emulator("DELETE", vanished);
  await emulator("PATCH", altered, { summary: "Perdu" });
  const ofNobody = { cassiusOrganisationId: organisationId, cassiusAppointmentId: "unknown", cassiusRevision: "1" };
  await emulator("POST", `calendars/${account}/events`, {
    id: "stray0",
    start: { dateTime: appointment().startTime },
    end: { dateTime: appointment().endTime },
    extendedProperties: { private: ofNobody },
  });
  const found = { ...inStep, missingCount: 1, alteredCount: 1, surplusCount: 1 };
  await expect.poll(counted, { timeout: 10_000 }).toEqual(found);
  expect(await counted()).toEqual(found);
});

it("a practice is erased: its events at Google, and everything that the service held of it", async () => {
  const practice = newPractice();
  const { organisationId, client, account } = practice;
  await practice.connect();
  const sent = toWire(appointment());
  await client.appointments.syncAppointment({ organisationId, appointment: sent, wait: { seconds: 10n } });
  const standing = async () =>
    (await emulator<{ events: { status: string }[] }>("GET", `accounts/${account}/events`)).events.filter(
      ({ status }) => status !== "cancelled",
    );
  expect(await standing()).toHaveLength(1);

  const erased = (await practice.ask("POST", "erase", {})).json as EraseAnswer;
  expect(erased).toMatchObject({ isDone: true, remainingEventCount: 0, status: { state: "not_connected" } });
  expect(await standing()).toEqual([]);
  expect((await practice.ask("GET", "links")).json).toEqual({ links: [], nextPageToken: null });
  expect((await practice.ask("POST", "erase", { leaveEvents: "yes" })).status).toBe(400);
});

it("another account waits until a person has dropped or taken it", async () => {
  const practice = newPractice();
  const { account } = practice;
  const [dropped, taken] = [`dropped.${account}`, `taken.${account}`];
  await practice.connect();

  expect((await practice.connect(dropped)).searchParams.get("google")).toBe("other_account");
  const asked = (await practice.ask("GET", "status")).json as StatusAnswer;
  expect(asked.status).toMatchObject({ googleEmail: account, pendingAccount: { googleEmail: dropped } });
  expect((await practice.ask("POST", "confirm-account", {})).status).toBe(400);
  const kept = (await practice.ask("POST", "confirm-account", { accept: false })).json as ConfirmAccountAnswer;
  expect(kept.status).toMatchObject({ state: "connected", googleEmail: account, pendingAccount: null });

  await practice.connect(taken);
  const changed = (await practice.ask("POST", "confirm-account", { accept: true })).json as ConfirmAccountAnswer;
  expect(changed.status).toMatchObject({ state: "connected", googleEmail: taken, pendingAccount: null });
  const tooLate = await practice.ask("POST", "confirm-account", { accept: true });
  expect(tooLate.status).toBe(409);
  expect(tooLate.json).toMatchObject({ reason: "NO_PENDING_ACCOUNT" });
});

describe("begin-connect", () => {
  it("sets the one-time cookie so that no script and no other site gets it, and keeps it out of the answer", async () => {
    const practice = newPractice();
    const { headers, text } = await practice.ask("POST", "begin-connect", {});
    const cookie = headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Lax/);
    expect(cookie).toMatch(/; Path=\//);
    expect(cookie).toMatch(/; Max-Age=[1-9]/);
    expect(cookie).not.toMatch(/Secure/);
    const value = /=([^;]+)/.exec(cookie)?.[1] ?? "";
    expect(value.length).toBeGreaterThan(20);
    expect(text).not.toContain(value);
  });

  it.each(["//evil.example", "https://evil.example/", "/\\evil.example"])(
    "refuses %s as the way back",
    async (returnPath) => {
      const { status, headers } = await newPractice().ask("POST", "begin-connect", { returnPath });
      expect(status).toBe(400);
      expect(headers.get("set-cookie")).toBeNull();
    },
  );
});

describe("an answer", () => {
  it("of a call that has to wait for something else is 409 with the reason", async () => {
    const { status, json } = await newPractice().ask("GET", "calendars");
    expect(status).toBe(409);
    expect(json).toMatchObject({ reason: "NOT_CONNECTED" });
  });

  it("speaks the browser's language", async () => {
    const practice = newPractice();
    const french = await practice.ask("POST", "sync-now", {});
    const english = await practice.ask("POST", "sync-now", {}, { "accept-language": "en-GB,en;q=0.9" });
    expect((english.json as { message: string }).message).not.toBe((french.json as { message: string }).message);
  });

  it("names the fields of the page, not those of the wire", async () => {
    const practice = newPractice();
    const { status, json } = await practice.ask("POST", "preview", {
      appointment: { startTime: "2026-05-04T10:00:00Z", endTime: "2026-05-04T09:00:00Z", timeZone: "Paris" },
    });
    expect(status).toBe(400);
    const fields = (json as { violations: { field: string }[] }).violations.map(({ field }) => field);
    expect(fields).toContain("appointment.timeZone");
    expect(fields).toContain("appointment.endTime");
  });

  it.each([
    ["GET", "status"],
    ["GET", "calendars"],
    ["POST", "begin-connect"],
    ["PATCH", "unknown"],
  ])("of %s %s is stored by nobody", async (method, route) => {
    const { headers } = await newPractice().ask(method, route, method === "GET" ? undefined : {});
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("the stream of events", () => {
  it("tells the status at once, then each change, and ends when the browser leaves", async () => {
    const practice = newPractice();
    const browser = new AbortController();
    const request = new Request(practice.request("GET", "events"), { signal: browser.signal });
    const response = await practice.router.respond(request);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(response.headers.get("cache-control")).toContain("no-store");
    const statuses = statusesOf(response, practice);
    expect((await statuses.next()).value).toMatchObject({ state: "not_connected" });
    await practice.connect();
    let latest = (await statuses.next()).value;
    while (latest && latest.state !== "connected") latest = (await statuses.next()).value;
    expect(latest).toMatchObject({ state: "connected", googleEmail: practice.account });
    browser.abort();
    expect((await statuses.next()).done).toBe(true);
  });
});

it("520 open pages hold up no mutation, and those beyond the limit are told when to come back", async () => {
  const practice = newPractice();
  const router = createRouter({
    client: practice.client,
    publicOrigin: PUBLIC_URL,
    caller: (request) => ({ organisationId: request.headers.get("x-practice") ?? "" }),
    mayUse: () => true,
  });
  const browser = new AbortController();
  const pages = Array.from({ length: 520 }, (_, nth) => {
    const request = practice.request("GET", "events", undefined, { "x-practice": `${practice.organisationId}-${nth}` });
    return router.respond(new Request(request, { signal: browser.signal }));
  });
  const statuses = (await Promise.all(pages)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 503)).toHaveLength(120);
  const delivery = await practice.client.syncAfterMutation(
    { organisationId: practice.organisationId, appointment: appointment() },
    { deadlineMs: 5_000 },
  );
  expect(delivery).toMatchObject({ delivered: true });
  browser.abort();
});

async function* statusesOf(response: Response, practice: Practice): AsyncGenerator<IntegrationStatusJson, void> {
  let text = "";
  for await (const chunk of (response.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
    practice.seen.push(chunk);
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const frame = /^event: status\ndata: (.*)$/.exec(text.slice(0, end));
      text = text.slice(end + 2);
      if (frame?.[1]) yield JSON.parse(frame[1]) as IntegrationStatusJson;
    }
  }
}
