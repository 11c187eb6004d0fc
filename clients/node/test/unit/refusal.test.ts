import { describe, expect, it } from "vitest";

import { CalendarError } from "../../src/error.js";
import { languageOf, Refusal, toErrorResponse } from "../../src/rest/refusal.js";

it.each([
  [null, "fr"],
  ["", "fr"],
  ["fr-FR,fr;q=0.9,en;q=0.8", "fr"],
  ["en-GB,en;q=0.9,fr;q=0.8", "en"],
  ["de-DE,de;q=0.9", "fr"],
  ["de,en;q=0.5,fr;q=0.1", "en"],
  ["*", "fr"],
])("accept-language %j is answered in %s", (header, language) => {
  expect(languageOf(header)).toBe(language);
});

describe("an error of the service", () => {
  it.each([
    ["INVALID_ARGUMENT", 400],
    ["NOT_FOUND", 404],
    ["FAILED_PRECONDITION", 409],
    ["UNAVAILABLE", 503],
    ["DEADLINE_EXCEEDED", 504],
    ["UNAUTHENTICATED", 502],
    ["PERMISSION_DENIED", 502],
    ["INTERNAL", 502],
  ] as const)("with %s has the HTTP status %i", (code, status) => {
    expect(toErrorResponse(new CalendarError("x", { code }), null).status).toBe(status);
  });

  it("keeps its reason, its sentence, its fields in the page's spelling, and its patience", () => {
    const error = new CalendarError("grpc words", {
      code: "INVALID_ARGUMENT",
      reason: "INVALID_REQUEST",
      localizedMessage: "Un champ est à corriger.",
      violations: [
        { field: "settings.calendar_id", description: "trop long" },
        { field: "appointment.start_time", description: "absent" },
        { field: "appointment_ids[3]", description: "vide" },
      ],
      retryAfterMs: 1_500,
      incident: "k3v9",
    });
    expect(toErrorResponse(error, null)).toEqual({
      status: 400,
      headers: { "retry-after": "2" },
      body: {
        reason: "INVALID_REQUEST",
        message: "Un champ est à corriger.",
        violations: [
          { field: "calendarId", description: "trop long" },
          { field: "appointment.startTime", description: "absent" },
          { field: "appointmentIds[3]", description: "vide" },
        ],
        retryAfterMs: 1_500,
        incident: "k3v9",
      },
    });
  });

  it("that never reached it is told in the router's words, not in Node's", () => {
    const response = toErrorResponse(
      new CalendarError("connect ECONNREFUSED 10.1.2.3:50051", { code: "UNAVAILABLE" }),
      "en",
    );
    expect(response.body.reason).toBe("SERVICE_UNAVAILABLE");
    expect(JSON.stringify(response)).not.toContain("10.1.2.3");
  });
});

it("a defect of the host tells nothing of itself", () => {
  const response = toErrorResponse(new Error("password=hunter2"), null);
  expect(response).toEqual({
    status: 500,
    headers: {},
    body: { reason: "INTERNAL", message: "Une erreur inattendue s’est produite." },
  });
});

it("a refusal keeps its headers", () => {
  expect(toErrorResponse(new Refusal("METHOD_NOT_ALLOWED", [], { allow: "GET" }), null)).toMatchObject({
    status: 405,
    headers: { allow: "GET" },
  });
});
