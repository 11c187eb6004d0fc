/**
 * The router at the HTTP boundary: documented JSON, a record of the requests, and a real event stream on demand.
 * Nothing of the components is replaced.
 */
import { delay, http, HttpResponse, type DefaultBodyType } from "msw";
import { setupServer } from "msw/node";
import * as samples from "../gallery/samples";
import type {
  IntegrationStatusJson,
  LinksAnswer,
  LinksBody,
  SettingsBody,
  SyncNowBody,
  TestEventAnswer,
  TitlePrivacyJson,
} from "../src/wire";

export const BASE = "http://localhost:3000/api/integrations/google";

/** One request that the components made. */
export interface Asked {
  readonly method: string;
  readonly route: string;
  readonly body: unknown;
  readonly headers: Headers;
}

export const server = setupServer();

/** What the router knows and what was asked of it. */
export class Router {
  readonly asked: Asked[] = [];
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  tested: TestEventAnswer = { isWritten: true, isRemoved: true, error: null };
  comparison = samples.inStep;
  links: LinksAnswer = { links: samples.linksInError, nextPageToken: null };

  constructor(public status: IntegrationStatusJson) {
    server.use(
      this.#route("get", "status", () => ({ status: this.status })),
      this.#route("get", "calendars", () => ({ calendars: samples.calendars, isListPermitted: true })),
      this.#route("get", "links", () => this.links),
      this.#route("post", "links", (body) => {
        const { appointmentIds } = body as LinksBody;
        return {
          links: this.links.links.filter((link) => appointmentIds.includes(link.appointmentId)),
          nextPageToken: null,
        };
      }),
      this.#route("post", "preview", (body) => ({
        event: samples.preview((body as { titlePrivacy?: TitlePrivacyJson }).titlePrivacy ?? "full"),
      })),
      this.#route("post", "begin-connect", () => ({
        connectUrl: "https://cassius.example.com/api/integrations/google/connect",
        expireTime: null,
      })),
      this.#route("patch", "settings", (body) => {
        const { calendarId, ...rest } = body as SettingsBody;
        const calendar = samples.calendars.find((each) => each.id === calendarId) ?? this.status.calendar;
        this.status = { ...this.status, ...rest, calendar };
        return { status: this.status };
      }),
      this.#route("post", "sync-now", (body) => {
        const { dryRun } = body as SyncNowBody;
        if (dryRun === true) return { queuedCount: 0, comparison: this.comparison, status: this.status };
        this.status = { ...this.status, catchUp: { total: 3, done: 0, failed: 0, startTime: null } };
        return { queuedCount: 3, comparison: null, status: this.status };
      }),
      this.#route("get", "journal", () => ({ entries: samples.journal })),
      this.#route("get", "history", () => ({ calls: samples.history })),
      this.#route("post", "test-event", () => this.tested),
      this.#route("post", "confirm-account", (body) => {
        const { pendingAccount, googleEmail } = this.status;
        const taken = (body as { accept: boolean }).accept ? (pendingAccount?.googleEmail ?? null) : googleEmail;
        this.status = { ...this.status, googleEmail: taken, pendingAccount: null };
        return { status: this.status };
      }),
      this.#route("post", "disconnect", () => {
        this.status = samples.notConnected;
        return { status: this.status, deletedEventCount: 2, remainingEventCount: 0, grantEnd: "revoked" };
      }),
      this.#route("post", "erase", () => {
        this.status = samples.notConnected;
        return { isDone: true, remainingEventCount: 0, status: this.status };
      }),
      this.#route("post", "retry", (body) => {
        const ids = (body as { appointmentIds?: string[] }).appointmentIds;
        const links = ids ? this.links.links.filter((link) => !ids.includes(link.appointmentId)) : [];
        const queuedCount = this.links.links.length - links.length;
        this.links = { links, nextPageToken: null };
        this.status = { ...this.status, counts: { ...this.status.counts, error: links.length } };
        return { queuedCount };
      }),
      http.get(
        `${BASE}/events`,
        ({ request }) =>
          new HttpResponse(this.#stream(request.signal), { headers: { "content-type": "text/event-stream" } }),
      ),
    );
  }

  /** Answers what was asked of a route. */
  to(route: string): Asked[] {
    return this.asked.filter((asked) => asked.route === route);
  }

  /** Sends an event on every open stream. */
  tell(name: "status" | "unavailable" | "alive", data: object): void {
    const bytes = new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    for (const stream of this.#streams) stream.enqueue(bytes);
  }

  /** Ends every open stream, as a host does that restarts; the browser comes again at once. */
  hangUp(): void {
    for (const stream of this.#streams) {
      stream.enqueue(new TextEncoder().encode("retry: 10\n\n"));
      stream.close();
    }
    this.#streams.clear();
  }

  /** Changes the status and tells it. */
  become(status: IntegrationStatusJson): void {
    this.status = status;
    this.tell("status", status);
  }

  /** How many streams are open. */
  get watchers(): number {
    return this.#streams.size;
  }

  /** A stream that is open until the browser leaves it. */
  #stream(left: AbortSignal): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (controller) => {
        this.#streams.add(controller);
        left.addEventListener("abort", () => this.#streams.delete(controller));
        this.tell("status", this.status);
      },
    });
  }

  #route(method: "get" | "post" | "patch", route: string, answer: (body: unknown) => DefaultBodyType) {
    return http[method](`${BASE}/${route}`, async ({ request }) => {
      const body: unknown = method === "get" ? null : await request.json();
      this.asked.push({ method: request.method, route, body, headers: request.headers });
      return HttpResponse.json(answer(body));
    });
  }
}

/** Makes a route answer with an error, as the router words it. */
export function refuse(method: "get" | "post" | "patch", route: string, status: number, reason: string): void {
  server.use(http[method](`${BASE}/${route}`, () => HttpResponse.json({ reason, message: "" }, { status })));
}

/** Makes a route never answer. */
export function silence(method: "get" | "post" | "patch", route: string): void {
  server.use(
    http[method](`${BASE}/${route}`, async () => {
      await delay("infinite");
      return HttpResponse.json({});
    }),
  );
}

/** Makes a route fail as a network does. */
export function cut(method: "get" | "post" | "patch", route: string): void {
  server.use(http[method](`${BASE}/${route}`, () => HttpResponse.error()));
}
