/**
 * The sign-in stub: it asks for no password, and is otherwise what a host has: a cookie that names a session, and a
 * session that names a person. It is the only place that knows which organisation a request belongs to.
 */
import { randomBytes } from "node:crypto";

import { parseCookie, stringifySetCookie } from "cookie";
import type { Request, Response } from "express";

import type { Database } from "./database.js";
import { personOf, type Person } from "./people.js";

const COOKIE = "cassius_session";

/** The sessions of the demo. */
export class Sessions {
  readonly #database: Database;
  readonly #isSecure: boolean;

  constructor(database: Database, publicUrl: string) {
    this.#database = database;
    this.#isSecure = publicUrl.startsWith("https:");
  }

  /** Who makes a request; `null`: nobody is signed in. */
  person(request: Request): Person | null {
    const token = parseCookie(request.headers.cookie ?? "")[COOKIE];
    if (token === undefined) return null;
    const row = this.#database.get("SELECT person_id FROM sessions WHERE token = ?", token);
    const id = row?.["person_id"];
    return typeof id === "string" ? personOf(id) : null;
  }

  /** Begins a session. */
  begin(response: Response, person: Person): void {
    const token = randomBytes(32).toString("hex");
    this.#database.run("INSERT INTO sessions (token, person_id) VALUES (?, ?)", [token, person.id]);
    this.#set(response, token, 7 * 24 * 3600);
  }

  /** Ends the session of a request. */
  end(request: Request, response: Response): void {
    const token = parseCookie(request.headers.cookie ?? "")[COOKIE];
    if (token !== undefined) this.#database.run("DELETE FROM sessions WHERE token = ?", token);
    this.#set(response, "", 0);
  }

  #set(response: Response, value: string, maxAge: number): void {
    const attributes = { path: "/", httpOnly: true, sameSite: "lax", secure: this.#isSecure } as const;
    response.append("set-cookie", stringifySetCookie({ name: COOKIE, value, maxAge, ...attributes }));
  }
}
