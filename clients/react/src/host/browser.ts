/**
 * What the components read of the browser: the network, and the present.
 * The only module that reads the clock; everything else is given the present.
 */
import { useSyncExternalStore } from "react";

/** Answers whether the browser has a network. */
export function useOnline(): boolean {
  return useSyncExternalStore(
    subscribeToNetwork,
    () => navigator.onLine,
    () => true,
  );
}

function subscribeToNetwork(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

/** Reads the clock, for what is noted down; what is shown follows `useNow`. */
export function readClock(): Date {
  return new Date(Date.now());
}

const TICK_MS = 15_000;
const listeners = new Set<() => void>();
let present = Date.now();
let ticking: ReturnType<typeof setInterval> | undefined;

/** Answers the present, renewed every 15 seconds while something on the page shows it. */
export function useNow(): Date {
  return new Date(
    useSyncExternalStore(
      subscribeToTime,
      () => present,
      () => present,
    ),
  );
}

function subscribeToTime(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    present = Date.now();
    ticking = setInterval(() => {
      present = Date.now();
      for (const each of listeners) each();
    }, TICK_MS);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(ticking);
  };
}
