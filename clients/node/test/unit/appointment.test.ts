import { expect, it } from "vitest";

import { toWire, type AppointmentSnapshot } from "../../src/appointment.js";
import { CalendarError } from "../../src/index.js";

function faultsOf(snapshot: unknown): string[] {
  try {
    toWire(snapshot as AppointmentSnapshot);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(CalendarError);
    const { code, reason, violations } = thrown as CalendarError;
    expect([code, reason]).toEqual(["INVALID_ARGUMENT", "INVALID_REQUEST"]);
    return violations.map(({ field }) => field);
  }
  return [];
}

const cancelled = { appointmentId: "rdv", revision: 1, state: "cancelled" };

it("what the wire has no form for is refused with every field at fault, and with no value", () => {
  expect(faultsOf(cancelled)).toEqual([]);
  expect(faultsOf(null)).toEqual(["appointment"]);
  expect(faultsOf({ ...cancelled, startTime: "2026-03-12T14:30:00Z", endTime: new Date(Number.NaN) })).toEqual([
    "startTime",
    "endTime",
  ]);
  expect(faultsOf({ appointmentId: 7, revision: "one", state: "canceled", patientName: ["Marie Durand"] })).toEqual([
    "appointmentId",
    "revision",
    "state",
    "patientName",
  ]);
  expect(() => toWire({ ...cancelled, startTime: "Marie Durand" } as unknown as AppointmentSnapshot)).not.toThrow(
    /Marie/,
  );
});

it.each([null, undefined, "", " 1", "0x10", 1.5, 2 ** 53, 2n ** 63n, true])(
  "a revision of %s is refused",
  (revision) => {
    expect(faultsOf({ ...cancelled, revision })).toEqual(["revision"]);
  },
);

it.each([1, 1n, "1772000000000000", 2n ** 63n - 1n, 0])("a revision of %s reaches the service", (revision) => {
  expect(toWire({ ...cancelled, revision } as AppointmentSnapshot).revision).toBe(BigInt(revision));
});
