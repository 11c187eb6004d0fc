/** Mounts the pages of the demo. */
import "@cassius/calendar-react/styles.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";

import { Application } from "./Application";
import "./styles.css";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root");
// A change that cannot leave the machine fails, and is told, rather than wait in silence for the network.
const queryClient = new QueryClient({ defaultOptions: { mutations: { networkMode: "always" } } });

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <BrowserRouter>
        <Application />
      </BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
);
