/**
 * The REST endpoints that Cassius's settings pages speak to, for any host that knows `Request` and `Response`.
 *
 * It owns routing, the order of the checks, and the headers of every answer. It never takes an organisation from the
 * browser, and no token passes through it: the service gives none out, and each answer is built from an allow list. Its
 * invariant: whatever the pages of one organisation ask, however often, holds up neither a mutation nor another's pages.
 */
import { parseCookie } from "cookie";

import { CalendarClient } from "../client.js";
import { Connections } from "./connections.js";
import { statusStream } from "./events.js";
import { COME_BACK_MS, Feeds } from "./feeds.js";
import { checkNavigation, checkOrigin, textOf } from "./guard.js";
import { Places } from "./places.js";
import { languageOf, Refusal, toErrorResponse } from "./refusal.js";
import { ROUTES, SLOW_ROUTES, type RouteResult, type RouteContext } from "./routes.js";
import type { IntegrationStatusJson } from "./types.js";

/** The routes under the base path. */
export type RouteName = keyof typeof ROUTES | "events";

/** Who makes a request, as the host's own session knows. */
export interface Caller {
  organisationId: string;
}

/** Somebody, or nobody. */
export type Known<C extends Caller> = C | null | undefined;

/** A request that failed through no fault of the browser: for a log line. It names no person and no content. */
export interface RouteFailure {
  route: RouteName;
  status: number;
  error: unknown;
}

/** How a router is set up. `Host` is whatever the host hands over beside a request, such as Express's own. */
export interface RouterOptions<Host, C extends Caller = Caller> {
  client: CalendarClient;
  /** The origin of the host as a browser sees it, such as `https://cassius.example`. */
  publicOrigin: string;
  /**
   * Who makes the request; none: nobody is signed in. For a stream of `events` it is asked again with the request that
   * opened it, every `sessionCheckMs`: so it has to read the session from where it is kept.
   */
  caller: (request: Request, host: Host) => Known<C> | Promise<Known<C>>;
  /** Whether this person may use a route. There is no default: who may connect, and disconnect, is the host's to say. */
  mayUse: (caller: C, route: RouteName) => boolean | Promise<boolean>;
  /**
   * Whether this person may erase everything of their organisation, at Google and in the service: the owner of a
   * practice, say. It is asked beside `mayUse`, which may allow whole roles every route. Absent: nobody may.
   */
  mayErase?: (caller: C) => boolean | Promise<boolean>;
  /**
   * On whose behalf the service is asked: an id of the host's own, at most 128 plain characters, never a name or an address.
   * The journal of the service keeps it. None by default.
   */
  actor?: (caller: C) => string | null | undefined;
  /**
   * The name of the practice as its people know it. Who comes back from Google then reads it beside the address of their
   * account, on a page of the service's, and nothing is kept before they confirm: a consent that somebody else began in
   * their browser is seen. Beyond 200 characters it is cut. Absent or empty: nobody is asked.
   */
  organisationName?: (caller: C) => string | null | undefined;
  /** Is told of every answer of 500 and above. What it throws is dropped. */
  onFailure?: (failure: RouteFailure) => unknown;
  /**
   * Is told when an organisation has just been connected: the moment for the host to reconcile, so that what the service
   * never had is there before it is asked to send. In a host of several processes each may tell it once. What it throws
   * is dropped.
   */
  onConnected?: (connection: { organisationId: string }) => unknown;
  /**
   * Is told before the service is asked to erase an organisation, each time, and waited for. From then on the host sends
   * nothing of it until it is connected anew: the service takes what it is sent for new, and keeps it. Where it throws,
   * the request fails and nothing is erased.
   */
  onErasing?: (erasure: { organisationId: string }) => unknown;
  /**
   * Is told when the service did not say that the erasure has begun: the person was told so too, and asks again. The host
   * sends of the organisation again, unless an erasure of it had begun before. What it throws is dropped.
   */
  onErasureFailed?: (erasure: { organisationId: string }) => unknown;
  /** `/api/integrations/google` by default. */
  basePath?: string;
  /** Where the consent comes back to. `/settings/integrations/google-calendar` by default. */
  returnPath?: string;
  /** 65,536 by default. */
  maxBodyBytes?: number;
  /** How often a silent stream of `events` gives a sign of life, in milliseconds. 5,000 by default. */
  heartbeatMs?: number;
  /** How long one stream of `events` lives before the browser opens the next, in milliseconds. 600,000 by default. */
  streamLifetimeMs?: number;
  /**
   * How often `caller` and `mayUse` are asked again for each open stream of `events`, in milliseconds: it ends where they
   * would refuse it, or say another organisation. 30,000 by default.
   */
  sessionCheckMs?: number;
  /** How many pages of one organisation `events` serves at once; the others are answered 503 and poll. 100 by default. */
  pagesPerOrganisation?: number;
  /** How many organisations `events` follows at once, over one stream each; the others poll. 400 by default. */
  watchedOrganisations?: number;
  /**
   * How many requests of one organisation may be under way at once that have the service ask Google or wait: `calendars`,
   * `confirm-account`, `settings`, `sync-now`, `test-event`, `disconnect` and `erase`. One beyond them is answered 503 with
   * `retry-after`. 8 by default.
   */
  slowRequestsPerOrganisation?: number;
  /** How many such requests of all organisations may be under way at once. 256 by default. */
  slowRequests?: number;
  /** How many requests of one organisation to the other routes may be under way at once. 64 by default. */
  requestsPerOrganisation?: number;
}

/** A router that is set up. */
export interface Router<Host> {
  /** Answers a request. The promise always fulfils. */
  respond: (request: Request, host: Host) => Promise<Response>;
  /**
   * Whether a request is the router's, by its path, its `cookie` header and its query. `callback` is the sidecar's; so is
   * `connect` once the browser has been sent on with its ticket. Where the query is not given, any ticket counts as its own.
   */
  serves: (pathname: string, cookies?: string | null, search?: string) => boolean;
}

/** Where the service keeps the one-time ticket of a consent: on https, and on loopback. */
const TICKET_COOKIES = ["__Host-cassius_calendar_connect", "cassius_calendar_connect"];
/** By which the service's `connectUrl` says whose ticket is meant: by the name of the consent, or with the ticket itself. */
const SENT_ON = ["consent", "ticket"];

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  vary: "cookie, accept-language",
};

const NAME_CHARS = 200;
const PAGES_PER_ORGANISATION = 100;
// Of the 512 streams that the service takes on a connection: the others are for the host's own watches.
const WATCHED_ORGANISATIONS = 400;
// Of as many on another: the others are for what is answered at once.
const SLOW_REQUESTS = 256;
const SLOW_REQUESTS_PER_ORGANISATION = 8;
const REQUESTS_PER_ORGANISATION = 64;

/** Makes the router. Throws on an origin that is none, and where `mayUse` is not said. */
export function createRouter<Host = void, C extends Caller = Caller>(options: RouterOptions<Host, C>): Router<Host> {
  const publicOrigin = originOf(options.publicOrigin);
  if (typeof options.mayUse !== "function") throw new TypeError("mayUse must say who may use which route");
  const connections = new Connections();
  const onStatus = (organisationId: string, status: IntegrationStatusJson) => {
    if (connections.isNew(organisationId, status, Date.now())) tell(options.onConnected, { organisationId });
  };
  const feeds = new Feeds({
    client: options.client,
    pagesPerOrganisation: options.pagesPerOrganisation ?? PAGES_PER_ORGANISATION,
    watches: options.watchedOrganisations ?? WATCHED_ORGANISATIONS,
    onStatus,
  });
  const client = CalendarClient.forPages(options.client);
  const slow = new Places(
    options.slowRequestsPerOrganisation ?? SLOW_REQUESTS_PER_ORGANISATION,
    options.slowRequests ?? SLOW_REQUESTS,
  );
  const quick = new Places(options.requestsPerOrganisation ?? REQUESTS_PER_ORGANISATION, Infinity);
  const basePath = (options.basePath ?? "/api/integrations/google").replace(/\/+$/, "");

  const routeOf = (pathname: string): RouteName | null => {
    if (!pathname.startsWith(`${basePath}/`)) return null;
    const name = pathname.slice(basePath.length + 1);
    return name === "events" || Object.hasOwn(ROUTES, name) ? (name as RouteName) : null;
  };

  const callerOf = async (request: Request, host: Host, route: RouteName): Promise<C> => {
    const caller = await options.caller(request, host);
    if (caller === null || caller === undefined) throw new Refusal("NOT_SIGNED_IN");
    if (!(await options.mayUse(caller, route))) throw new Refusal("NOT_ALLOWED");
    return caller;
  };

  const serve = async (request: Request, host: Host, url: URL, route: RouteName | null): Promise<Response> => {
    if (route === null) throw new Refusal("ROUTE_NOT_FOUND");
    const handle = handlerOf(route, request.method);
    checkOrigin(request, publicOrigin);
    if (route === "connect") checkNavigation(request);
    const caller = await callerOf(request, host, route);
    if (route === "erase" && !(await options.mayErase?.(caller))) throw new Refusal("NOT_ALLOWED");
    const { organisationId } = caller;
    const acceptLanguage = request.headers.get("accept-language");
    const language = languageOf(acceptLanguage);
    if (handle === null) {
      const page = feeds.join(organisationId, language);
      if (page === null) throw new Refusal("OVERLOADED", [], {}, COME_BACK_MS);
      const { heartbeatMs, streamLifetimeMs: lifetimeMs, sessionCheckMs } = options;
      const mayFollow = async () => (await callerOf(request, host, route)).organisationId === organisationId;
      return eventStream(statusStream(page, { heartbeatMs, lifetimeMs, sessionCheckMs }, request.signal, mayFollow));
    }
    const context: RouteContext = {
      url,
      text: await textOf(request, options.maxBodyBytes ?? 65_536),
      left: request.signal,
      client,
      organisationId,
      organisationName: nameOf(options.organisationName?.(caller)),
      publicOrigin,
      returnPath: options.returnPath ?? "/settings/integrations/google-calendar",
      onStatus: (status) => onStatus(organisationId, status),
      onErasing: async () => {
        await options.onErasing?.({ organisationId });
      },
      onErasureFailed: () => tell(options.onErasureFailed, { organisationId }),
      language,
      headers: headersFor(acceptLanguage, options.actor?.(caller)),
    };
    const result = await (SLOW_ROUTES.has(route) ? slow : quick).hold(organisationId, () => handle(context));
    const cookie: Record<string, string> = result.cookie === undefined ? {} : { "set-cookie": result.cookie };
    if ("location" in result) return seeOther(result.location, cookie);
    return json(200, result.json, cookie);
  };

  return {
    serves: (pathname, cookies, search) => {
      const route = routeOf(pathname);
      return route !== null && !(route === "connect" && isSentOn(cookies, search));
    },
    respond: async (request, host) => {
      const url = new URL(request.url);
      const route = routeOf(url.pathname);
      try {
        const response = await serve(request, host, url, route);
        return request.method === "HEAD" ? withoutBody(response) : response;
      } catch (error) {
        const answer = toErrorResponse(error, request.headers.get("accept-language"));
        // Who left in the middle of a request has broken nothing, and reads no answer.
        if (answer.status >= 500 && route !== null && !request.signal.aborted) {
          tell(options.onFailure, { route, status: answer.status, error });
        }
        return json(answer.status, answer.body, answer.headers);
      }
    },
  };
}

// As much of a name as the service takes.
function nameOf(organisationName: string | null | undefined): string {
  return Array.from((organisationName ?? "").trim())
    .slice(0, NAME_CHARS)
    .join("");
}

function headersFor(acceptLanguage: string | null, actor: string | null | undefined): Record<string, string> {
  return {
    ...(acceptLanguage !== null && { "accept-language": acceptLanguage }),
    ...(actor !== null && actor !== undefined && { "cassius-actor": actor }),
  };
}

// In a turn of its own: whatever becomes of it, the browser is answered.
function tell<News>(listener: ((news: News) => unknown) | undefined, news: News): void {
  void Promise.resolve(news)
    .then(listener)
    .catch(() => undefined);
}

// The handler of a route by its method; `null` stands for the stream.
function handlerOf(route: RouteName, method: string): ((context: RouteContext) => Promise<RouteResult>) | null {
  const methods: Record<string, ((context: RouteContext) => Promise<RouteResult>) | null> =
    route === "events" ? { GET: null } : ROUTES[route];
  // HEAD is what is asked before a page is gone to: it begins no consent.
  const asked = method === "HEAD" && route !== "connect" ? "GET" : method;
  const handler = Object.hasOwn(methods, asked) ? methods[asked] : undefined;
  if (handler === undefined) {
    throw new Refusal("METHOD_NOT_ALLOWED", [], { allow: route === "connect" ? "GET" : allowed(methods) });
  }
  return handler;
}

function allowed(methods: object): string {
  return Object.keys(methods)
    .flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : method))
    .join(", ");
}

// What HEAD is answered. A stream that was opened for it is left.
function withoutBody(response: Response): Response {
  void response.body?.cancel();
  return new Response(null, response);
}

function json(status: number, body: object, headers: Record<string, string>): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...SECURITY_HEADERS, "content-type": "application/json; charset=utf-8", ...headers },
  });
}

function seeOther(location: string, headers: Record<string, string>): Response {
  return new Response(null, { status: 303, headers: { ...SECURITY_HEADERS, location, ...headers } });
}

// A ticket that an earlier consent left must not take a browser on that asks for a new one, maybe for another practice:
// where the service names the consent in the query, the ticket lies in a cookie of its own, which tells nothing here.
function isSentOn(cookies: string | null | undefined, search: string | undefined): boolean {
  const query = new URLSearchParams(search);
  if (SENT_ON.some((parameter) => query.has(parameter))) return true;
  const names = Object.keys(parseCookie(cookies ?? ""));
  const isTicket = (name: string) =>
    TICKET_COOKIES.some((ticket) => name === ticket || (search === undefined && name.startsWith(`${ticket}_`)));
  return names.some(isTicket);
}

function eventStream(stream: ReadableStream<Uint8Array>): Response {
  return new Response(stream, {
    headers: {
      ...SECURITY_HEADERS,
      "content-type": "text/event-stream; charset=utf-8",
      // A proxy that gathers or compresses the stream would hold the events back.
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

function originOf(publicOrigin: string): string {
  const { origin, protocol } = new URL(publicOrigin);
  if (protocol !== "https:" && protocol !== "http:") throw new TypeError("publicOrigin must be http(s)");
  return origin;
}
