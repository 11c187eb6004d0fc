/**
 * Somebody of a practice at a browser, and what they do: by the words and roles that the pages show, as they would.
 */
import type { BrowserContextOptions, Locator, Page } from "playwright-core";

import { ACCOUNT } from "./google.js";

/** What a person writes into the form of a RDV. */
export interface RdvWords {
  patient: string;
  type?: string;
  /** Days after the Monday of the next week; a weekday, since the calendar shows no other. */
  day?: number;
  hour?: number;
}

/** What is done at the consent page. */
export interface Decision {
  account?: string;
  /** Words of the permission that is unticked. */
  untick?: string;
  refuse?: boolean;
}

const GOOGLE_PAGE = "/settings/integrations/google-calendar";
const CONNECT = "/api/integrations/google/connect";

/** A person. */
export class Person {
  /** `open` opens a page in a window of its own. */
  constructor(
    private readonly origin: string,
    readonly page: Page,
    private readonly open: (options: BrowserContextOptions) => Promise<Page>,
  ) {}

  /** Is signed in, with no page open yet. */
  async signIn(name: string): Promise<void> {
    const { request } = this.page.context();
    const session = await request.get("/api/session");
    const { people } = (await session.json()) as { people: { id: string; name: string }[] };
    const personId = people.find((each) => each.name === name)?.id;
    const signedIn = await request.post("/api/session", { data: { personId } });
    if (!signedIn.ok()) throw new Error(`${name} cannot sign in: ${signedIn.status()}`);
  }

  /** Opens the settings of Google Calendar, and waits until they show how things stand. */
  async openSettings(): Promise<void> {
    await this.page.goto(GOOGLE_PAGE);
    await this.settled();
  }

  /** Waits until the parts of the page are there, and hold no place any more for what is still to come. */
  async settled(): Promise<void> {
    await this.page.locator('section[aria-busy="false"]').first().waitFor();
    await this.page.locator('section[aria-busy="true"]').first().waitFor({ state: "detached" });
  }

  /** Opens the week calendar. */
  async openAgenda(): Promise<void> {
    await this.page.goto("/calendar");
    await this.button("Nouveau RDV").waitFor();
  }

  /** Goes from the settings through Google's consent and comes back. */
  async connect(decision: Decision = {}, label = "Connecter Google Calendar"): Promise<void> {
    await this.button(label).first().click();
    await this.decide(decision);
    await this.page.waitForURL((url) => url.origin === this.origin && !url.searchParams.has("google"));
    await this.settled();
  }

  /** Decides at the consent page, and then whether this account is for this practice, which is asked if it could be. */
  async decide({ account = ACCOUNT, untick, refuse = false }: Decision): Promise<void> {
    await this.page.getByRole("radio", { name: account }).check();
    if (untick !== undefined) await this.page.getByRole("checkbox", { name: untick }).uncheck();
    await this.button(refuse ? "Annuler" : "Continuer").click();
    if (refuse || untick !== undefined) return;
    await this.page.getByText(account, { exact: true }).waitFor();
    await this.page.getByRole("button", { name: "Connecter", exact: true }).click();
  }

  /** Goes the way of `connect` by its addresses alone, with no page: for stories that begin after it. */
  async connected(account = ACCOUNT, outcome = "connected"): Promise<void> {
    const { request } = this.page.context();
    const consent = (await request.get(CONNECT, { headers: { "sec-fetch-site": "none" } })).url();
    const form = new URLSearchParams({ decision: "allow", account });
    for (const scope of new URL(consent).searchParams.get("scope")?.split(" ") ?? []) form.append("scope", scope);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const asked = await request.post(consent, { headers, data: form.toString() });
    const state = /name="state" value="([^"]+)"/.exec(await asked.text())?.[1] ?? "no question";
    const answered = await request.get(asked.url().split("?", 1)[0] ?? "", { params: { state, answer: "connect" } });
    const back = new URL(answered.url());
    if (back.searchParams.get("google") !== outcome) throw new Error(`not ${outcome}, but at ${back.href}`);
  }

  /** The same person, in the same session, in another window: a tab in the background would be drawn once a second. */
  async another(options: BrowserContextOptions = {}): Promise<Person> {
    const storageState = await this.page.context().storageState();
    return new Person(this.origin, await this.open({ ...options, storageState }), this.open);
  }

  /** Asks the demo as its pages do, with no page; answers the status. */
  async ask(method: string, path: string, data: object): Promise<number> {
    const { request } = this.page.context();
    const answer = await request.fetch(`/api/${path}`, { method, headers: { origin: this.origin }, data });
    return answer.status();
  }

  /** Chooses another calendar, and confirms it. */
  async changeCalendar(name: string): Promise<void> {
    await this.button("Changer de calendrier").click();
    await this.chooseInWindow(name);
    await this.page.getByRole("dialog").getByRole("button", { name: "Changer de calendrier" }).click();
    await this.said(`Le calendrier est maintenant « ${name} ».`);
  }

  /** Picks a calendar in the window that is open. */
  async chooseInWindow(name: string): Promise<void> {
    await this.page
      .getByRole("dialog")
      .getByRole("button", { name: /Nouveau calendrier/ })
      .click();
    await this.page.getByRole("option", { name }).click();
  }

  /** Flips a switch, as a finger does: by its words. */
  async flip(words: string): Promise<void> {
    await this.page.getByText(words).click();
  }

  /** Chooses one of several answers. */
  async choose(words: string): Promise<void> {
    // The words of an answer may stand elsewhere too, such as in a table that explains them.
    const [labels, itself] = [this.page.locator("label"), this.page.getByText(words, { exact: true })];
    await labels
      .and(itself)
      .or(labels.getByText(words, { exact: true }))
      .click();
  }

  /** Drags a RDV down by some pixels. */
  async drag(words: string, pixels: number): Promise<void> {
    const box = await this.rdv(words).boundingBox();
    if (box === null) throw new Error("the RDV is not in sight");
    const { mouse } = this.page;
    const [x, y] = [box.x + box.width / 2, box.y + 8];
    await mouse.move(x, y);
    await mouse.down();
    await mouse.move(x, y + pixels / 2, { steps: 5 });
    await mouse.move(x, y + pixels, { steps: 5 });
    await mouse.up();
  }

  /** Makes a RDV of the next week in the form. */
  async createRdv(words: RdvWords): Promise<void> {
    await this.button("Nouveau RDV").click();
    await this.fillRdv(words);
    await this.said("RDV enregistré.");
  }

  /** Writes into the form that is open, and saves it. */
  async fillRdv({ patient, type, day, hour }: RdvWords): Promise<void> {
    await this.page.getByLabel("Patient").fill(patient);
    if (type !== undefined) await this.page.getByLabel("Type").selectOption(type);
    if (day !== undefined || hour !== undefined || (await this.isNew()))
      await this.page.getByLabel("Début").fill(nextWeek(day ?? 1, hour ?? 10));
    await this.button("Enregistrer").click();
    await this.page.getByRole("dialog").waitFor({ state: "detached" });
  }

  /** Shows the week that the RDV of these tests are in. */
  async nextWeek(): Promise<void> {
    await this.button("Suivant").click();
  }

  /** Shows the day or the week of the next Monday, whichever the window has room for. */
  async showNextMonday(): Promise<void> {
    const isNarrow = (this.page.viewportSize()?.width ?? 0) <= 768;
    // A day at a time, without the weekend; on a weekend it is Monday that stands there already.
    const weekday = new Date().getDay();
    const turns = isNarrow ? [0, 5, 4, 3, 2, 1, 0][weekday] : 1;
    for (let turn = 0; turn < (turns ?? 0); turn += 1) await this.button("Suivant").click();
  }

  /** A RDV in the grid. */
  rdv(words: string): Locator {
    return this.page.locator(".app-event", { hasText: words });
  }

  /** A button by its name. */
  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name });
  }

  /** What stands beside the title of the page: connected or not. */
  status(word: "Connecté" | "Non connecté" | "En erreur" | "Envoi retardé" | "3 à envoyer"): Locator {
    return this.page.locator(".cc-page-line").getByText(word, { exact: true });
  }

  /** A part of the page by its title. */
  section(title: "Connexion" | "Options" | "Aperçu" | "À traiter"): Locator {
    return this.page.getByRole("region", { name: title });
  }

  /** What stands below the title of the page: how the integration is doing, and the one thing to do about it. */
  get health(): Locator {
    return this.page.getByRole("group", { name: "État de la synchronisation" });
  }

  /** Waits until words are in sight. */
  async said(words: string | RegExp): Promise<void> {
    await this.page.getByText(words).first().waitFor();
  }

  /** The badge of the calendar's toolbar. */
  badge(words: string): Locator {
    return this.page.locator(".cc-badge", { hasText: words });
  }

  private async isNew(): Promise<boolean> {
    return await this.page.getByRole("heading", { name: "Nouveau RDV" }).isVisible();
  }
}

/** A day and hour of the next week, as the form wants it. */
export function nextWeek(day: number, hour: number): string {
  const date = new Date();
  date.setUTCHours(0, 0, 0, 0);
  date.setUTCDate(date.getUTCDate() + (8 - (date.getUTCDay() || 7)) + day);
  return `${date.toISOString().slice(0, 10)}T${String(hour).padStart(2, "0")}:00`;
}
