export { default } from "../../clients/eslint.config.js";
