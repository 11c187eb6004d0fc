/** What the build begins with: the library, and its style sheet, which becomes a file of its own. */
import "./styles/index.css";

export * from "./index";
