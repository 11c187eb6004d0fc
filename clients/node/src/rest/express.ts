/**
 * The router for an Express application.
 *
 * It only turns one kind of request and response into the other. Its invariant: a path that the router does not serve
 * goes on to the next middleware, so that the sidecar's own two paths reach the host's proxy.
 */
import { createRequest, sendResponse } from "@remix-run/node-fetch-server";
import type { Request as ExpressRequest, RequestHandler, Response as ExpressResponse } from "express";

import { createRouter, type Caller, type RouterOptions } from "./router.js";

/** How the Express adapter is set up: `caller` gets Express's own request, with the host's session on it. */
export type ExpressOptions<C extends Caller = Caller> = Omit<RouterOptions<ExpressRequest, C>, "caller"> & {
  caller: (request: ExpressRequest) => C | null | Promise<C | null>;
};

/** Makes the middleware: `app.use(googleIntegration({ … }))`, at the root of the application. */
export function googleIntegration<C extends Caller = Caller>(options: ExpressOptions<C>): RequestHandler {
  const router = createRouter<ExpressRequest, C>({ ...options, caller: (_, host) => options.caller(host) });
  return (req, res, next) => {
    const { pathname } = new URL(req.originalUrl, options.publicOrigin);
    if (!router.serves(pathname)) {
      next();
      return;
    }
    router
      .respond(webRequest(req, res, options.publicOrigin), req)
      .then((response) => sendResponse(res, response))
      .catch(next);
  };
}

function webRequest(req: ExpressRequest, res: ExpressResponse, publicOrigin: string): Request {
  const { host, protocol } = new URL(publicOrigin);
  const request = createRequest(req, res, { host, protocol });
  // A body parser that ran before has emptied the stream: what it read is put back.
  if (request.body === null || !req.readableEnded) return request;
  const { body } = req as { body: unknown };
  return new Request(request.url, {
    method: request.method,
    headers: request.headers,
    signal: request.signal,
    body: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body ?? {}),
  });
}
