import type { z } from "zod";
import { describe, expect, it } from "vitest";

import { checkOrigin, bodyOf, textOf } from "../../src/rest/guard.js";
import { RETRY, SETTINGS } from "../../src/rest/bodies.js";
import { Refusal } from "../../src/rest/refusal.js";

const ORIGIN = "https://cassius.example";

function post(headers: Record<string, string>, body = "{}") {
  return new Request(`${ORIGIN}/api/integrations/google/retry`, { method: "POST", headers, body });
}

function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.reason;
    throw thrown;
  }
  return "admitted";
}

const read = async <T>(request: Request, schema: z.ZodType<T>): Promise<T> =>
  bodyOf(await textOf(request, 1_024), schema);

const json = { "content-type": "application/json" };

describe("a request that changes something", () => {
  it.each([
    ["same origin by both headers", { ...json, origin: ORIGIN, "sec-fetch-site": "same-origin" }, "admitted"],
    ["same origin by Origin alone", { ...json, origin: ORIGIN }, "admitted"],
    ["same origin by Sec-Fetch-Site alone", { ...json, "sec-fetch-site": "same-origin" }, "admitted"],
    ["neither header", json, "CROSS_SITE_REQUEST"],
    ["another site", { ...json, origin: "https://evil.example", "sec-fetch-site": "cross-site" }, "CROSS_SITE_REQUEST"],
    ["a sibling host", { ...json, origin: "https://a.cassius.example" }, "CROSS_SITE_REQUEST"],
    ["a sibling host by Sec-Fetch-Site", { ...json, "sec-fetch-site": "same-site" }, "CROSS_SITE_REQUEST"],
    ["another port", { ...json, origin: `${ORIGIN}:8443` }, "CROSS_SITE_REQUEST"],
    ["another scheme", { ...json, origin: "http://cassius.example" }, "CROSS_SITE_REQUEST"],
    ["an origin that only begins alike", { ...json, origin: `${ORIGIN}.evil.example` }, "CROSS_SITE_REQUEST"],
    ["the opaque origin", { ...json, origin: "null" }, "CROSS_SITE_REQUEST"],
    ["headers that disagree", { ...json, origin: ORIGIN, "sec-fetch-site": "cross-site" }, "CROSS_SITE_REQUEST"],
  ])("from %s is judged by where it comes from", (_, headers, expected) => {
    expect(refusalOf(() => checkOrigin(post(headers), ORIGIN))).toBe(expected);
  });

  it.each([
    ["application/json; charset=utf-8", "admitted"],
    ["Application/JSON", "admitted"],
    ["text/plain", "UNSUPPORTED_MEDIA_TYPE"],
    ["application/x-www-form-urlencoded", "UNSUPPORTED_MEDIA_TYPE"],
    ["multipart/form-data; boundary=application/json", "UNSUPPORTED_MEDIA_TYPE"],
    ["text/plain; application/json", "UNSUPPORTED_MEDIA_TYPE"],
    ["application/jsonp", "UNSUPPORTED_MEDIA_TYPE"],
  ])("as %s is judged by its media type", (contentType, expected) => {
    expect(refusalOf(() => checkOrigin(post({ "content-type": contentType, origin: ORIGIN }), ORIGIN))).toBe(expected);
  });

  it("without a media type is refused", () => {
    const request = new Request(ORIGIN, { method: "POST", headers: { origin: ORIGIN } });
    expect(refusalOf(() => checkOrigin(request, ORIGIN))).toBe("UNSUPPORTED_MEDIA_TYPE");
  });
});

describe("a request that only reads", () => {
  it.each([
    ["same-origin", "admitted"],
    ["none", "admitted"],
    ["same-site", "CROSS_SITE_REQUEST"],
    ["cross-site", "CROSS_SITE_REQUEST"],
  ])("is judged by Sec-Fetch-Site: %s", (site, expected) => {
    const request = new Request(ORIGIN, { headers: { "sec-fetch-site": site } });
    expect(refusalOf(() => checkOrigin(request, ORIGIN))).toBe(expected);
  });

  it("needs no header: a backend may ask too", () => {
    expect(refusalOf(() => checkOrigin(new Request(ORIGIN), ORIGIN))).toBe("admitted");
  });
});

describe("a body", () => {
  it("is refused while it is read once it is too large, wherever the length header points", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(1024).fill(32));
      },
    });
    const request = new Request(ORIGIN, { method: "POST", body: endless, duplex: "half" });
    await expect(textOf(request, 4_096)).rejects.toMatchObject({ reason: "BODY_TOO_LARGE" });
    expect(pulled).toBeLessThan(10);
  });

  it("that is empty counts as an empty object", async () => {
    expect(await read(post(json, ""), RETRY)).toEqual({});
  });

  it("that is no JSON is refused without being repeated", async () => {
    const refused = read(post(json, "{secret"), RETRY);
    await expect(refused).rejects.toMatchObject({ violations: [{ field: "", description: "not JSON" }] });
  });

  it("names every field at fault at once", async () => {
    const refused = read(post(json, `{"isEnabled":"yes","titlePrivacy":"none"}`), SETTINGS);
    const refusal = await refused.catch((thrown: unknown) => thrown);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).violations.map(({ field }) => field)).toEqual(["isEnabled", "titlePrivacy"]);
  });

  it.each(["organisationId", "organisation_id", "updateMask"])("that names %s is refused", async (field) => {
    const refused = read(post(json, JSON.stringify({ isEnabled: true, [field]: "x" })), SETTINGS);
    await expect(refused).rejects.toMatchObject({ reason: "INVALID_REQUEST" });
  });
});
