import { createServer, type AddressInfo } from "node:net";

import { afterAll, describe, expect, it } from "vitest";

import { SyncStatus } from "../../src/index.js";
import { toWire, type AppointmentSnapshot } from "../../src/appointment.js";
import { failure } from "../failure.js";
import { freePort } from "./running.js";
import { appointment, connectTo, newOrganisation } from "./service.js";

const client = connectTo();
afterAll(() => client.close());

describe("a call that fails", () => {
  it("tells every field at fault, and a sentence in French", async () => {
    const organisationId = newOrganisation();
    const wrong = toWire(appointment({ revision: 0, timeZone: "Paris" }));
    const error = await failure(client.appointments.syncAppointment({ organisationId, appointment: wrong }));
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT", reason: "INVALID_REQUEST", retryAfterMs: null });
    expect(error.violations.map(({ field }) => field).sort()).toEqual([
      "appointment.revision",
      "appointment.time_zone",
    ]);
    expect(error.localizedMessage).toBeTruthy();
  });

  it("speaks English when the call asks for it", async () => {
    const organisationId = newOrganisation();
    const french = await failure(client.integration.syncNow({ organisationId }));
    const english = await failure(
      client.integration.syncNow({ organisationId }, { headers: { "accept-language": "en" } }),
    );
    expect(french).toMatchObject({ code: "FAILED_PRECONDITION", reason: "NOT_CONNECTED" });
    expect(english.reason).toBe("NOT_CONNECTED");
    expect(english.localizedMessage).not.toBe(french.localizedMessage);
  });

  it("of an unknown appointment says so", async () => {
    const call = client.appointments.getAppointmentLink({ organisationId: newOrganisation(), appointmentId: "none" });
    expect(await failure(call)).toMatchObject({ code: "NOT_FOUND", reason: "APPOINTMENT_NOT_FOUND" });
  });

  it("because nobody listens is UNAVAILABLE, after its retries", async () => {
    const away = connectTo({ address: `http://127.0.0.1:${await freePort()}` });
    const error = await failure(away.integration.getStatus({ organisationId: newOrganisation() }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", reason: null });
    away.close();
  });
});

describe("after a mutation", () => {
  it("the appointment is stored, whether or not Google is connected", async () => {
    const delivery = await client.syncAfterMutation({ organisationId: newOrganisation(), appointment: appointment() });
    expect(delivery).toMatchObject({ delivered: true, link: { syncStatus: SyncStatus.NONE, revision: 1n } });
  });

  it("an appointment at fault is an outcome, not an exception", async () => {
    const told: string[] = [];
    const delivery = await client.syncAfterMutation(
      { organisationId: newOrganisation(), appointment: appointment({ timeZone: "Paris" }) },
      { onUndelivered: ({ error }) => void told.push(error.code) },
    );
    expect(delivery).toMatchObject({ delivered: false, error: { reason: "INVALID_REQUEST" } });
    expect(told).toEqual(["INVALID_ARGUMENT"]);
  });

  it.each([
    ["a revision that is no integer", { revision: "one" }],
    ["an invalid date", { startTime: new Date(NaN) }],
  ])("%s is an outcome too", async (_, change) => {
    const delivery = await client.syncAfterMutation({
      organisationId: newOrganisation(),
      appointment: appointment(change),
    });
    expect(delivery).toMatchObject({ delivered: false, error: { code: "INVALID_ARGUMENT" } });
  });

  it("so is a row that was never read, which plain JavaScript lets through", async () => {
    const missing = undefined as unknown as AppointmentSnapshot;
    const delivery = await client.syncAfterMutation(
      { organisationId: newOrganisation(), appointment: missing },
      { onUndelivered: () => undefined },
    );
    expect(delivery.delivered).toBe(false);
  });

  it("a service that never answers holds the mutation up no longer than the deadline", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
    const { port } = silent.address() as AddressInfo;
    const hanging = connectTo({ address: `http://127.0.0.1:${port}`, mutationDeadlineMs: 150 });
    const begun = performance.now();
    const delivery = await hanging.syncAfterMutation({ organisationId: newOrganisation(), appointment: appointment() });
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(delivery).toMatchObject({ delivered: false, error: { code: "DEADLINE_EXCEEDED" } });
    hanging.close();
    silent.close();
  });

  it("a hook that throws harms nobody", async () => {
    const delivery = await client.syncAfterMutation(
      { organisationId: newOrganisation(), appointment: appointment({ revision: 0 }) },
      {
        onUndelivered: () => {
          throw new Error("the log is full");
        },
      },
    );
    expect(delivery.delivered).toBe(false);
  });
});
