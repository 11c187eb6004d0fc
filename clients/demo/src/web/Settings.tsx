/** The settings: the package's layout and pages, and the demo's placeholders for what is not theirs. */
import { GoogleCalendarPage, IntegrationsPage, SettingsLayout, SettingsOverview } from "@cassius/calendar-react";
import type { ReactNode } from "react";
import { Navigate, Route, Routes, useLocation } from "react-router";

import type { PersonJson } from "../shared/agenda";

/** Everything under `/settings`. */
export function Settings({ person }: { readonly person: PersonJson }) {
  const { pathname } = useLocation();
  return (
    <main className="app-page app-settings">
      <SettingsLayout currentPath={pathname}>
        <Routes>
          <Route index element={<SettingsOverview summaries={summariesOf(person)} />} />
          <Route path="profile" element={<Plain title="Profil">{`${person.name}, ${person.role}`}</Plain>} />
          <Route path="organisation" element={<Plain title="Organisation">{person.organisationName}</Plain>} />
          <Route path="integrations" element={forManagers(person, <IntegrationsPage />)} />
          <Route
            path="integrations/google-calendar"
            element={<GoogleCalendarPage mayChange={person.isManager} mayErase={person.isManager} />}
          />
          <Route path="security" element={<Plain title="Sécurité">La démonstration n’a pas de mot de passe.</Plain>} />
          <Route path="*" element={<Navigate to="/settings" replace />} />
        </Routes>
      </SettingsLayout>
    </main>
  );
}

function summariesOf(person: PersonJson): Record<string, ReactNode> {
  return {
    "/settings/profile": person.name,
    "/settings/organisation": person.organisationName,
    "/settings/security": "Sans mot de passe",
  };
}

function forManagers(person: PersonJson, page: ReactNode): ReactNode {
  if (person.isManager) return page;
  return <Plain title="Intégrations">Seule une personne gérante du cabinet peut régler les intégrations.</Plain>;
}

function Plain({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="app-plain">
      <title>{`${title} · Cassius`}</title>
      <h1>{title}</h1>
      <p>{children}</p>
    </section>
  );
}
