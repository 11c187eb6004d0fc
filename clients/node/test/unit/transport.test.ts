import { expect, it } from "vitest";

import { connect, type TransportOptions } from "../../src/transport.js";

it.each<[string, TransportOptions]>([
  ["a key in the clear to another machine", { address: "http://calendar.internal:50051", apiKey: "k" }],
  ["a host that only looks like loopback", { address: "http://127.0.0.1.evil.example:50051", apiKey: "k" }],
  ["TLS settings for a plain address", { address: "http://127.0.0.1:50051", tls: { ca: "" } }],
  ["another protocol", { address: "ftp://127.0.0.1" }],
  ["no URL", { address: "127.0.0.1:50051" }],
  ["a host and a port alone", { address: "calendar.internal:50051" }],
  ["no address", {} as TransportOptions],
  ["nothing at all", null as unknown as TransportOptions],
  ["an address with a path", { address: "http://127.0.0.1:50051/calendar" }],
])("%s is refused before anything is sent, in a sentence that says what is wrong", (_, options) => {
  expect(() => connect(options)).toThrow(TypeError);
  expect(() => connect(options)).toThrow(/^(an API key|tls|address must) /);
});

it.each<[string, TransportOptions]>([
  ["a key over TLS", { address: "https://calendar.internal:50051", apiKey: "k" }],
  ["a key to loopback", { address: "http://[::1]:50051", apiKey: "k" }],
  ["a key behind a mesh", { address: "http://calendar:50051", apiKey: "k", allowPlaintext: true }],
  ["a key from a file that ends in a line break", { address: "http://127.0.0.1:50051", apiKey: "key\n" }],
  ["no key", { address: "http://calendar:50051" }],
])("%s is accepted", (_, options) => {
  expect(() => connect(options).close()).not.toThrow();
});

it.each(["first\nsecret", "two words", "clé"])(
  "a key that no header can hold is refused, and not repeated",
  (apiKey) => {
    const refused = () => connect({ address: "http://127.0.0.1:50051", apiKey });
    expect(refused).toThrow(/apiKey/);
    expect(refused).not.toThrow(apiKey);
  },
);
