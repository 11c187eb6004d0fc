import { CalendarClient } from "@cassius/calendar-client";
import { createRouter } from "@cassius/calendar-client/rest";

const router = createRouter({
  client: new CalendarClient({ address: "http://127.0.0.1:1", retry: { retries: 0 } }),
  publicOrigin: "https://cassius.example",
  caller: () => ({ organisationId: "cabinet" }),
  mayUse: () => true,
});

const respond = (request: Request) => router.respond(request, undefined);
export { respond as GET, respond as PATCH, respond as POST };
