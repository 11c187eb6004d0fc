/**
 * What the router takes: a schema for each body and query of `types.ts`, held to that type by the compiler.
 *
 * A field that is not named is refused, so that a typing error in a page is found by its author.
 */
import { z } from "zod";

import type {
  BeginConnectBody,
  ConfirmAccountBody,
  DisconnectBody,
  EraseBody,
  HistoryQuery,
  LinksBody,
  LinksQuery,
  PreviewBody,
  RetryBody,
  SettingsBody,
  SyncNowBody,
} from "./types.js";

const PRIVACY = z.enum(["full", "initials", "masked"]);
const INSTANT = z.iso.datetime({ offset: true });

export const BEGIN_CONNECT: z.ZodType<BeginConnectBody> = z.strictObject({
  // A path of this origin. What makes a browser read a host out of it (`//`, `/\`) is refused here; the origin that
  // comes out is checked besides. It is also the query of `GET connect`.
  returnPath: z
    .string()
    .max(2_048)
    .regex(/^\/(?![/\\])[^\\\p{Cc}]*$/u, "a path of this application, such as /settings")
    .optional(),
});

export const SETTINGS: z.ZodType<SettingsBody> = z
  .strictObject({
    isEnabled: z.boolean().optional(),
    calendarId: z.string().min(1).max(1_024).optional(),
    titlePrivacy: PRIVACY.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, "at least one setting");

export const PREVIEW: z.ZodType<PreviewBody> = z.strictObject({
  titlePrivacy: PRIVACY.optional(),
  appointment: z
    .strictObject({
      type: z.string().optional(),
      patientName: z.string().optional(),
      practitionerName: z.string().optional(),
      location: z.string().optional(),
      startTime: INSTANT,
      endTime: INSTANT,
      timeZone: z.string(),
      url: z.string().optional(),
    })
    .optional(),
});

export const SYNC_NOW: z.ZodType<SyncNowBody> = z.strictObject({ dryRun: z.boolean().optional() });

export const CONFIRM_ACCOUNT: z.ZodType<ConfirmAccountBody> = z.strictObject({ accept: z.boolean() });

export const DISCONNECT: z.ZodType<DisconnectBody> = z.strictObject({
  remoteEvents: z.enum(["keep", "delete_upcoming", "delete_all"]).optional(),
});

export const ERASE: z.ZodType<EraseBody> = z.strictObject({ leaveEvents: z.boolean().optional() });

export const RETRY: z.ZodType<RetryBody> = z.strictObject({
  appointmentIds: z.array(z.string().min(1).max(128)).max(1_000).optional(),
});

export const LINKS_OF: z.ZodType<LinksBody> = z.strictObject({
  appointmentIds: z.array(z.string().min(1).max(128)).max(500),
});

export const HISTORY: z.ZodType<HistoryQuery> = z.strictObject({ appointmentId: z.string().min(1).max(128) });

export const NOTHING: z.ZodType<Record<string, never>> = z.strictObject({});

export const LINKS: z.ZodType<LinksQuery> = z.strictObject({
  syncStatus: z.enum(["none", "pending", "synced", "error"]).optional(),
  pageSize: z.coerce.number().int().min(1).max(1_000).optional(),
  pageToken: z.string().max(4_096).optional(),
});
