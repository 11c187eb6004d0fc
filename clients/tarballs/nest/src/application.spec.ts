import "reflect-metadata";
import { CalendarError } from "@cassius/calendar-client";
import type { INestApplication } from "@nestjs/common";
import { Calendar, listen } from "./application";

let app: INestApplication;
beforeAll(async () => {
  app = await listen(0);
});
afterAll(() => app.close());

test("the client is required as CommonJS, and tells what became of a mutation", async () => {
  const appointment = { appointmentId: "rdv", revision: 1, state: "cancelled" } as const;
  const delivery = await app.get(Calendar).client.syncAfterMutation({ organisationId: "cabinet", appointment });
  expect(delivery).toMatchObject({ delivered: false, error: { code: "UNAVAILABLE" } });
  expect(delivery.delivered || delivery.error).toBeInstanceOf(CalendarError);
});

test("the router answers within the host", async () => {
  const answer = await fetch(`${await app.getUrl()}/api/integrations/google/status`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ reason: "SERVICE_UNAVAILABLE" });
});
