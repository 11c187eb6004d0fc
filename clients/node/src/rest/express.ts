/**
 * The router for an Express application.
 *
 * It only turns one kind of request and response into the other. Its invariant: a request that the router does not serve
 * goes on to the next middleware, so that what is the sidecar's reaches the host's proxy.
 */
import { createRequest, sendResponse } from "@remix-run/node-fetch-server";
import type { Request as ExpressRequest, RequestHandler, Response as ExpressResponse } from "express";

import { createRouter, type Caller, type Known, type RouterOptions } from "./router.js";

/** How the Express adapter is set up: `caller` gets Express's own request, with the host's session on it. */
export type ExpressOptions<C extends Caller = Caller> = Omit<RouterOptions<ExpressRequest, C>, "caller"> & {
  caller: (request: ExpressRequest) => Known<C> | Promise<Known<C>>;
};

// Node hands these over, and a Web `Request` cannot be made of them.
const UNSPEAKABLE = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Makes the middleware: `app.use(googleIntegration({ … }))`. Under a mount path, `basePath` is still the whole path. */
export function googleIntegration<C extends Caller = Caller>(options: ExpressOptions<C>): RequestHandler {
  const router = createRouter<ExpressRequest, C>({ ...options, caller: (_, host) => options.caller(host) });
  return (req, res, next) => {
    // The path as it came, not as a URL parser would read it: what is not plainly ours is the host's.
    const path = req.originalUrl.split("?", 1)[0] ?? "";
    if (!router.serves(path, req.headers.cookie, req.originalUrl.slice(path.length))) {
      next();
      return;
    }
    if (UNSPEAKABLE.has(req.method)) {
      res.status(405).end();
      return;
    }
    const request = webRequest(req, res, options.publicOrigin);
    router
      .respond(request, req)
      .then(async (response) => {
        await sendResponse(res, response);
        // A body that was refused is still on its way: unread, it would hold up the connection's next request.
        if (!request.bodyUsed) await request.body?.cancel();
        req.resume();
      })
      .catch(next);
  };
}

function webRequest(req: ExpressRequest, res: ExpressResponse, publicOrigin: string): Request {
  const { host, protocol } = new URL(publicOrigin);
  const request = createRequest(req, res, { host, protocol });
  // Express cuts a mount path off `req.url`.
  const url = new URL(req.originalUrl, publicOrigin).href;
  // A body parser that ran before has emptied the stream: what it read is put back.
  if (request.body === null || !req.readableEnded) return request.url === url ? request : new Request(url, request);
  const { body } = req as { body: unknown };
  return new Request(url, {
    method: request.method,
    headers: request.headers,
    signal: request.signal,
    body: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body ?? {}),
  });
}
