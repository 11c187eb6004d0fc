/**
 * The running service that these tests speak to, and the practices that they make up.
 *
 * Every test takes an organisation and a Google account of its own, so that none sees another's doings.
 */
import { randomUUID } from "node:crypto";

import { inject } from "vitest";

import { CalendarClient, type AppointmentSnapshot, type CalendarClientOptions } from "../../src/index.js";
import { createRouter, type Router } from "../../src/rest/index.js";

const { calendar, sidecar, google } = inject("addresses");

/** Where the service's gRPC port is. */
export const CALENDAR_ADDRESS = calendar;
/** Where a browser reaches the host. */
export const PUBLIC_URL = sidecar;

/** A client of the service. */
export function connectTo(options: Partial<CalendarClientOptions> = {}): CalendarClient {
  return new CalendarClient({ address: CALENDAR_ADDRESS, ...options });
}

/** An organisation that nobody has used. */
export function newOrganisation(): string {
  return `practice-${randomUUID()}`;
}

/** An appointment of the day after tomorrow. */
export function appointment(change: Partial<AppointmentSnapshot> = {}): AppointmentSnapshot {
  const start = Math.floor(Date.now() / 3_600_000 + 48) * 3_600_000;
  return {
    appointmentId: randomUUID(),
    revision: 1,
    state: "scheduled",
    type: "Implant",
    patientName: "Marie Durand",
    practitionerName: "Dr Camille Roche",
    location: "Salle 2",
    startTime: new Date(start),
    endTime: new Date(start + 1_800_000),
    timeZone: "Europe/Paris",
    ...change,
  };
}

/** An answer of the router as a browser gets it. */
export interface Seen {
  status: number;
  headers: Headers;
  text: string;
  json: unknown;
}

/** A practice with a browser in front of a router. */
export class Practice {
  readonly organisationId = newOrganisation();
  readonly account = `accueil@${this.organisationId}.example`;
  readonly client = connectTo();
  readonly router: Router<void> = createRouter({
    client: this.client,
    publicOrigin: PUBLIC_URL,
    caller: () => ({ organisationId: this.organisationId }),
    mayUse: () => true,
    mayErase: () => true,
    heartbeatMs: 200,
  });
  /** Everything that the browser was answered, headers included. */
  readonly seen: string[] = [];
  #cookies = new Map<string, string>();

  /** Asks the router as a page of the host does. */
  async ask(method: string, route: string, body?: object, headers: Record<string, string> = {}): Promise<Seen> {
    const response = await this.router.respond(this.request(method, route, body, headers));
    const text = await response.text();
    this.#remember(response, text);
    return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
  }

  /** A request as a page of the host makes it. */
  request(method: string, route: string, body?: object, headers: Record<string, string> = {}): Request {
    return new Request(`${PUBLIC_URL}/api/integrations/google/${route}`, {
      method,
      headers: {
        "sec-fetch-site": "same-origin",
        "accept-language": "fr",
        ...(body && { origin: PUBLIC_URL, "content-type": "application/json" }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** Goes through the consent as a person does, and answers where the browser ends up. */
  async connect(account = this.account): Promise<URL> {
    await emulator("POST", "accounts", { email: account });
    const begun = await this.ask("POST", "begin-connect", { returnPath: "/settings?tab=google" });
    const { connectUrl } = begun.json as { connectUrl: string };
    const consent = await this.#follow(connectUrl);
    const form = new URLSearchParams([
      ["decision", "allow"],
      ["account", account],
      ...(consent.searchParams.get("scope") ?? "").split(" ").map((scope) => ["scope", scope]),
    ] as [string, string][]);
    const decided = await fetch(consent, { method: "POST", body: form, redirect: "manual" });
    return await this.#follow(decided.headers.get("location") ?? "no redirect from the consent");
  }

  // The host's proxy: a path of the origin, served by the sidecar, with the browser's cookies.
  async #follow(address: string): Promise<URL> {
    const { pathname, search } = new URL(address);
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(new URL(pathname + search, sidecar), { redirect: "manual", headers: { cookie } });
    this.#remember(response, await response.text());
    const location = response.headers.get("location");
    if (location === null) throw new Error(`no redirect from ${pathname}: ${response.status}`);
    return new URL(location);
  }

  #remember(response: Response, text: string): void {
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";", 1)[0] ?? "").split("=", 2);
      this.#cookies.set(name, value);
    }
    // What the sidecar sends a browser on to Google with is Google's to see; the router's answers hold no such thing.
    this.seen.push([...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n"), text);
  }
}

/** Steers or reads the emulator of Google. */
export async function emulator<Answer = unknown>(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(new URL(`/emulator/${path}`, google), {
    method,
    ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}
