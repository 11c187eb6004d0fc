/**
 * Looks a request through before it is sent, for the host in plain JavaScript, which no compiler has warned.
 *
 * It checks what the wire has no form for, and leaves every rule to the service. Its invariant: what it lets through can be
 * written onto the wire.
 */
import { ScalarType, type DescEnum, type DescField, type DescMessage } from "@bufbuild/protobuf";

import { Faults } from "./faults.js";

/** Throws INVALID_ARGUMENT, naming every field that holds something of another kind. */
export function checkRequest(schema: DescMessage, request: unknown): void {
  const faults = new Faults();
  if (request !== undefined) checkMessage(schema, request, "", faults);
  faults.check();
}

function checkMessage(schema: DescMessage, message: unknown, path: string, faults: Faults): void {
  if (!isObject(message)) {
    faults.add(path === "" ? "request" : path, "not an object");
    return;
  }
  for (const field of schema.fields) {
    const value = valueOf(field, message);
    if (value === undefined) continue;
    checkField(field, value, path === "" ? field.name : `${path}.${field.name}`, faults);
  }
}

function valueOf(field: DescField, message: Record<string, unknown>): unknown {
  if (field.oneof === undefined) return message[field.localName];
  const chosen = message[field.oneof.localName];
  return isObject(chosen) && chosen["case"] === field.localName ? chosen["value"] : undefined;
}

function checkField(field: DescField, value: unknown, path: string, faults: Faults): void {
  switch (field.fieldKind) {
    case "scalar":
      checkScalar(field.scalar, value, path, faults);
      return;
    case "enum":
      checkEnum(field.enum, value, path, faults);
      return;
    case "message":
      checkMessage(field.message, value, path, faults);
      return;
    case "list": {
      if (!Array.isArray(value)) {
        faults.add(path, "not an array");
        return;
      }
      for (const [index, item] of (value as unknown[]).entries()) {
        const at = `${path}[${index}]`;
        if (field.listKind === "scalar") checkScalar(field.scalar, item, at, faults);
        else if (field.listKind === "enum") checkEnum(field.enum, item, at, faults);
        else checkMessage(field.message, item, at, faults);
      }
      return;
    }
    case "map":
      if (!isObject(value)) faults.add(path, "not an object");
  }
}

function checkEnum({ name, values }: DescEnum, value: unknown, path: string, faults: Faults): void {
  if (Number.isInteger(value)) {
    faults.integer32(path, value);
    return;
  }
  const example = values.at(-1)?.localName ?? "";
  faults.add(path, `not a value of the enum ${name}, such as ${name}.${example}`);
}

function checkScalar(type: ScalarType, value: unknown, path: string, faults: Faults): void {
  switch (type) {
    case ScalarType.STRING:
      if (typeof value !== "string") faults.add(path, "not a string");
      return;
    case ScalarType.BOOL:
      if (typeof value !== "boolean") faults.add(path, "neither true nor false");
      return;
    case ScalarType.BYTES:
      if (!(value instanceof Uint8Array)) faults.add(path, "not a Uint8Array");
      return;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      if (typeof value !== "number") faults.add(path, "not a number");
      return;
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      faults.integer(path, value);
      return;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      faults.integer32(path, value);
      return;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      faults.integer32(path, value, true);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
