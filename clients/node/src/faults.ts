/**
 * Reads the values that a host gives, which no compiler has seen if the host is plain JavaScript or reads them from a
 * database, and collects what is wrong with them.
 *
 * It never throws for one value: `check` throws for all of them. It repeats no value, since any may be a patient's name.
 */
import { types } from "node:util";

import { timestampFromDate, type Timestamp } from "@bufbuild/protobuf/wkt";

import { CalendarError, type Violation } from "./error.js";

const INT64_END = 2n ** 63n;
const LONGEST_ID = 128;
// The service takes none that is nearly as long. A message that it cannot read, 4 MiB long, would end the stream that it is
// sent over, and name no field.
const LONGEST_TEXT = 100_000;
// As the service has it: whatever shows nothing, reorders or hides text, and is no character. A row with one would end the
// stream that it is sent over.
const FORBIDDEN_IN_ID = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{DI}\p{NChar}\u2800]/u;

/** What is wrong with a request, field by field. */
export class Faults {
  readonly #found: Violation[] = [];

  /** Everything that was found so far. */
  get violations(): Violation[] {
    return [...this.#found];
  }

  /** Notes a fault. */
  add(field: string, description: string): this {
    this.#found.push({ field, description });
    return this;
  }

  /** Throws INVALID_ARGUMENT if there is a fault. */
  check(): void {
    if (this.#found.length > 0) throw this.asError();
  }

  /** The faults as INVALID_ARGUMENT. */
  asError(): CalendarError {
    return new CalendarError(this.#found.map(({ field, description }) => `${field}: ${description}`).join("; "), {
      code: "INVALID_ARGUMENT",
      reason: "INVALID_REQUEST",
      violations: this.violations,
    });
  }

  /** Reads a text; none is empty. */
  text(field: string, value: unknown): string {
    if (value === null || value === undefined) return "";
    if (typeof value !== "string") this.add(field, "not a string");
    else if (value.length > LONGEST_TEXT) this.add(field, `longer than ${LONGEST_TEXT} characters`);
    else return value;
    return "";
  }

  /** Reads an integer of 64 bits: a bigint, a number that is exact, or digits. */
  integer(field: string, value: unknown): bigint {
    const isExact = typeof value === "number" ? Number.isSafeInteger(value) : typeof value === "bigint";
    if (!isExact && !(typeof value === "string" && /^-?\d+$/.test(value))) {
      this.add(field, "not an integer");
      return 0n;
    }
    const integer = BigInt(value as bigint | number | string);
    if (integer >= INT64_END || integer < -INT64_END) this.add(field, "does not fit into 64 bits");
    return integer;
  }

  /** Holds a whole number of 32 bits against what the wire has room for. */
  integer32(field: string, value: unknown, isUnsigned = false): void {
    if (typeof value !== "number" || !Number.isInteger(value)) this.add(field, "not an integer");
    else if (value !== (isUnsigned ? value >>> 0 : value | 0)) this.add(field, "does not fit into 32 bits");
  }

  /** Reads one of some words. */
  word<T>(field: string, value: unknown, words: Readonly<Record<string, T>>): T | undefined {
    if (typeof value === "string" && Object.hasOwn(words, value)) return words[value];
    this.add(field, `not one of ${Object.keys(words).join(", ")}`);
    return undefined;
  }

  /** Reads an instant under its own name; none is left out. */
  instant<Field extends string>(field: Field, value: unknown): Partial<Record<Field, Timestamp>> {
    if (value === null || value === undefined) return {};
    // A Date of another realm, such as a test's, is one too.
    if (!types.isDate(value)) this.add(field, "not a Date");
    else if (Number.isNaN(value.getTime())) this.add(field, "not a valid Date");
    else return { [field]: timestampFromDate(value) } as Record<Field, Timestamp>;
    return {};
  }

  /** Reads how many, from 1 on. */
  size(field: string, value: unknown): number {
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    this.add(field, "not an integer above 0");
    return 1;
  }

  /** Reads an identifier as the service takes it. */
  identifier(field: string, value: unknown): string {
    const text = this.text(field, value);
    if (text === "") this.add(field, "is required");
    else if (Array.from(text).length > LONGEST_ID) this.add(field, `longer than ${LONGEST_ID} characters`);
    else if (text.trim() !== text || FORBIDDEN_IN_ID.test(text)) {
      this.add(field, "has blanks at its ends, or control or invisible characters");
    }
    return text;
  }

  /** Reads a revision as the service takes it. */
  revision(field: string, value: unknown): bigint {
    const before = this.#found.length;
    const revision = this.integer(field, value);
    if (this.#found.length === before && revision <= 0n) this.add(field, "must be greater than 0");
    return revision;
  }
}
