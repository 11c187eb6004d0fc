/** The door of the REST router. */
export {
  createRouter,
  type Caller,
  type Known,
  type RouteFailure,
  type RouteName,
  type Router,
  type RouterOptions,
} from "./router.js";
export type * from "./types.js";
