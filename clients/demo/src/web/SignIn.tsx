/** The sign-in stub: choose who you are. */
import type { PersonJson } from "../shared/agenda";
import { useSignIn } from "./requests";

/** The page that everybody sees who is not signed in. */
export function SignIn({ people }: { readonly people: PersonJson[] }) {
  const signIn = useSignIn();
  const organisations = [...new Set(people.map((person) => person.organisationName))];
  return (
    <main className="app-alone">
      <title>Connexion · Cassius</title>
      <h1>Cassius</h1>
      <p>Démonstration : choisissez une personne. Aucun mot de passe n’est demandé.</p>
      {organisations.map((organisation) => (
        <section key={organisation} aria-label={organisation}>
          <h2>{organisation}</h2>
          <ul className="app-people">
            {people
              .filter((person) => person.organisationName === organisation)
              .map((person) => (
                <li key={person.id}>
                  <button type="button" disabled={signIn.isPending} onClick={() => signIn.mutate(person.id)}>
                    <strong>{person.name}</strong>
                    <span>{person.role}</span>
                  </button>
                </li>
              ))}
          </ul>
        </section>
      ))}
      {signIn.isError && <p role="alert">{signIn.error.message}</p>}
    </main>
  );
}
