/** A peer in a thread of its own, which takes each appointment a moment after it has told that it is there. */
import { createServer } from "node:http2";
import { parentPort } from "node:worker_threads";

const MOMENT_MS = 40;
// A gRPC frame of `SyncAppointmentResponse { link: {} }`.
const ANSWER = Buffer.from([0, 0, 0, 0, 2, 10, 0]);

const server = createServer();
let streams = 0;
server.on("stream", (stream) => {
  streams += 1;
  if (streams > 1) parentPort.postMessage("asked");
  stream.resume();
  setTimeout(() => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(ANSWER);
  }, MOMENT_MS);
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
