/**
 * The demo as one Express application on one origin: the agenda, the router of the integration, the way to the sidecar,
 * and the pages.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { CalendarClient } from "@cassius/calendar-client";
import { googleIntegration } from "@cassius/calendar-client/express";
import express, { type ErrorRequestHandler, type Express } from "express";
import { createProxyMiddleware } from "http-proxy-middleware";
import { ZodError } from "zod";

import { agendaRouter } from "./agenda.js";
import type { Erasures } from "./erasures.js";
import { log } from "./log.js";
import type { Rdvs } from "./rdvs.js";
import type { Sessions } from "./session.js";
import type { Settings } from "./settings.js";

/** What the application is put together from. */
export interface Parts {
  settings: Settings;
  client: CalendarClient;
  rdvs: Rdvs;
  erasures: Erasures;
  sessions: Sessions;
  /** Is told that a practice has just been connected. */
  onConnected: (organisationId: string) => void;
  /** Is told that a practice is about to be erased; fulfils once nothing of it is sent. */
  onErasing: (organisationId: string) => Promise<void>;
}

const SIDECAR_PATHS = ["/api/integrations/google/connect", "/api/integrations/google/callback"];
// Routes that only show how things stand: the badge, and the dot of each RDV, are for everybody.
const OPEN_ROUTES = new Set(["status", "events", "links"]);
const PAGES = fileURLToPath(new URL("../../dist/pages", import.meta.url));

/** Puts the application together. */
export function createApplication(parts: Parts): Express {
  const { settings, client, rdvs, erasures, sessions, onConnected, onErasing } = parts;
  const app = express();
  app.disable("x-powered-by");
  app.use(
    googleIntegration({
      client,
      publicOrigin: settings.PUBLIC_URL,
      caller: (request) => sessions.person(request),
      mayUse: (person, route) => person.isManager || OPEN_ROUTES.has(route),
      actor: (person) => person.id,
      organisationName: (person) => person.organisationName,
      mayErase: (person) => person.isManager,
      onErasing: ({ organisationId }) => onErasing(organisationId),
      onErasureFailed: ({ organisationId }) => erasures.undo(organisationId),
      onConnected: ({ organisationId }) => onConnected(organisationId),
      sessionCheckMs: settings.SESSION_CHECK_SECONDS * 1_000,
      onFailure: ({ route, status }) => log("a route of the integration failed", { route, "http.status": status }),
    }),
  );
  app.use(
    createProxyMiddleware({
      target: settings.SIDECAR_URL,
      pathFilter: SIDECAR_PATHS,
      on: {
        error: (_error, _request, response) => {
          log("the sidecar cannot be reached");
          if ("writeHead" in response) response.writeHead(502, { "content-type": "text/plain; charset=utf-8" });
          response.end("Le service de calendrier est momentanément injoignable. Réessayez dans un instant.");
        },
      },
    }),
  );
  const { PUBLIC_URL: publicUrl, GOOGLE_CALENDAR_URL: googleCalendarUrl = null } = settings;
  app.use("/api", agendaRouter({ client, rdvs, erasures, sessions, publicUrl, googleCalendarUrl }));
  app.use("/api", (_request, response) => void response.status(404).json({ message: "Rien à cette adresse." }));
  app.use(express.static(PAGES, { index: false, immutable: true, maxAge: "1y" }));
  app.get("/{*path}", (_request, response) => {
    const page = join(PAGES, "index.html");
    if (!existsSync(page)) return void response.status(503).send("The pages are not built: npm run build");
    response.sendFile(page, { headers: { "cache-control": "no-cache" }, maxAge: 0, immutable: false });
  });
  app.use(faults);
  return app;
}

const faults: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  if (error instanceof ZodError) return void response.status(400).json({ message: "Un champ est à corriger." });
  const refused = refusedAs(error);
  if (refused !== null) return void response.status(refused).json({ message: "La demande n’est pas lisible." });
  log("a request failed", { error: error instanceof Error ? error.name : "unknown" });
  response.status(500).json({ message: "Une erreur inattendue s’est produite." });
};

// What Express and its body parser refuse by themselves: no JSON, too much of it, an address that does not decode.
function refusedAs(error: unknown): number | null {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return null;
  return error.status >= 400 && error.status < 500 ? error.status : null;
}
