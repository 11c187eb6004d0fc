/** The gallery: `?view=google&state=syncing&theme=dark&locale=en` shows one state; without `view`, whichever is chosen. */
import { StrictMode, useRef, useState, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import { resolveLocale } from "../src/i18n/message";
import "../src/styles/index.css";
import "./gallery.css";
import { scenarios, showNetwork } from "./scenarios";
import { View, VIEWS } from "./views";

const query = new URLSearchParams(window.location.search);
const locale = resolveLocale(query.get("locale") ?? "fr");
const theme = query.get("theme");
document.documentElement.lang = locale;
if (theme !== null) document.documentElement.style.colorScheme = theme;

const WIDTHS = ["320", "768", "1280"];

/** Every component in every state, in the theme, width and language that are chosen. */
function Contents(): ReactElement {
  const [shown, setShown] = useState({
    view: "google",
    state: "connected",
    theme: "light",
    locale: "fr",
    width: "1280",
  });
  const { width, ...asked } = shown;
  const frame = useRef<HTMLIFrameElement>(null);
  const choose = (name: keyof typeof shown, values: readonly string[]) => (
    <label>
      {name}{" "}
      <select value={shown[name]} onChange={(event) => setShown({ ...shown, [name]: event.target.value })}>
        {values.map((value) => (
          <option key={value}>{value}</option>
        ))}
      </select>
    </label>
  );
  return (
    <div className="gallery-contents">
      <h1>Galerie</h1>
      <div className="gallery-toolbar">
        {choose("view", VIEWS)}
        {choose("state", Object.keys(scenarios))}
        {choose("theme", ["light", "dark"])}
        {choose("width", WIDTHS)}
        {choose("locale", ["fr", "en"])}
      </div>
      <div className="gallery-toolbar">
        devient
        {Object.keys(scenarios).map((state) => (
          <button key={state} onClick={() => frame.current?.contentWindow?.postMessage({ becomes: state })}>
            {state}
          </button>
        ))}
      </div>
      <iframe
        ref={frame}
        title={`${shown.view}, ${shown.state}`}
        src={`?${new URLSearchParams(asked).toString()}`}
        width={width}
      />
    </div>
  );
}

function Gallery(): ReactElement {
  const view = query.get("view");
  const state = query.get("state") ?? "connected";
  return view === null || !scenarios[state] ? <Contents /> : <View view={view} state={state} locale={locale} />;
}

const scenario = scenarios[query.get("state") ?? ""];
// Once the page has its first answers.
if (scenario?.isOffline) setTimeout(() => showNetwork(false), 300);
if (scenario?.outcome !== undefined && !query.has("google")) {
  query.set("google", scenario.outcome);
  window.history.replaceState(null, "", `?${query.toString()}`);
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <main>
        <Gallery />
      </main>
    </StrictMode>,
  );
}
