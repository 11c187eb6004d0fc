export * from "./rest/types.js";
