/**
 * Every setting of the demo, from the environment. Nothing needs one: the defaults are those of the service's dev mode.
 */
import { fileURLToPath } from "node:url";

import { z } from "zod";

const SCHEMA = z.object({
  /** Where the demo listens. */
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number().int().min(1).max(65_535).default(3000),
  /** Where the browser sees the demo: the service's own `PUBLIC_URL` and `CASSIUS_APP_URL` must say the same. */
  PUBLIC_URL: z.url().default("http://127.0.0.1:3000"),
  /** The service's gRPC address. */
  CALENDAR_ADDRESS: z.url().default("http://127.0.0.1:50051"),
  /** The API key for it. Dev mode asks for none. */
  CALENDAR_API_KEY: z.string().optional(),
  /** Where the service's two browser paths are. */
  SIDECAR_URL: z.url().default("http://127.0.0.1:8080"),
  /** Where the emulated Google shows its calendars; absent: the real one's page. */
  GOOGLE_CALENDAR_URL: z.url().optional(),
  /** Where the demo keeps its database. */
  DATA_DIR: z.string().default(fileURLToPath(new URL("../../.data", import.meta.url))),
  /** Whether a practice without any RDV is given some of this week and the next. */
  SAMPLE_RDVS: z.stringbool().default(false),
  /** How often the demo looks for RDV that the service lacks, in seconds. */
  RECONCILE_SECONDS: z.coerce.number().min(1).default(30),
  /** How often an open page's session is looked at again, in seconds. */
  SESSION_CHECK_SECONDS: z.coerce.number().min(1).default(30),
});

/** The settings of the demo. */
export type Settings = z.infer<typeof SCHEMA>;

/** Reads the settings; throws with every fault at once. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const result = SCHEMA.safeParse(environment);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`settings at fault:\n  ${faults.join("\n  ")}`);
}
