//! The consent page, in French and English.
//!
//! Owns what a person sees and can do: choose an account, untick a permission, refuse. It never decides. Invariant:
//! it works without a script, by keyboard alone.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::scope::is_optional;
use super::super::world::Account;
use super::consent::{Consent, ConsentRefusal};

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    French,
    English,
}

impl Language {
    /// The first of the two that `accept-language` names; French if none.
    pub(crate) fn of(accepted: Option<&str>) -> Self {
        let mut wanted = accepted.unwrap_or_default().split(',').map(str::trim);
        wanted
            .find_map(|tag| match tag.get(..2).map(str::to_ascii_lowercase).as_deref() {
                Some("fr") => Some(Self::French),
                Some("en") => Some(Self::English),
                _ => None,
            })
            .unwrap_or(Self::French)
    }

    fn say(self, french: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::French => french,
            Self::English => english,
        }
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1f1f1f; --soft: #5f6368; --line: #c7cdd4; --ground: #eef2f8; --card: #fff; --accent: #0b57d0; --on: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #aab0b7; --line: #47505a; --ground: #14181d; --card: #1e242b; --accent: #a8c7fa; --on: #062e6f } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 32rem; background: var(--card); border-radius: 1.25rem; padding: 2rem; box-shadow: 0 1px 4px #0002 }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; font-weight: 500 }
p { margin: .25rem 0 1rem; color: var(--soft) }
fieldset { border: 0; margin: 0 0 1.25rem; padding: 0 }
legend { font-weight: 600; padding: 0; margin-bottom: .5rem }
label { display: flex; gap: .75rem; align-items: center; padding: .65rem .75rem; border: 1px solid var(--line); border-radius: .75rem; margin-bottom: .5rem; cursor: pointer }
label:has(:checked) { border-color: var(--accent) }
label:has(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px }
label small { display: block; color: var(--soft); overflow-wrap: anywhere }
input { accent-color: var(--accent); width: 1.15rem; height: 1.15rem; flex: none; margin: 0 }
.avatar { width: 2rem; height: 2rem; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on); flex: none; font-weight: 600 }
.choices { display: flex; justify-content: flex-end; gap: .75rem; flex-wrap: wrap }
button { font: inherit; font-weight: 600; padding: .6rem 1.4rem; border-radius: 2rem; border: 1px solid var(--line); background: transparent; color: var(--accent); cursor: pointer }
button.first { background: var(--accent); border-color: var(--accent); color: var(--on) }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.brand { display: flex; align-items: center; gap: .5rem; font-size: .875rem; color: var(--soft); margin-bottom: 1.25rem }
.brand b { color: var(--ink) }
code { overflow-wrap: anywhere }
";

fn shell(language: Language, title: &str, content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang=(language.say("fr", "en")) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body { main { (content) } }
        }
    }
    .into_string()
}

/// The page that asks.
pub(crate) fn consent<'a>(
    consent: &Consent,
    accounts: impl Iterator<Item = &'a Account>,
    language: Language,
) -> String {
    let accounts: Vec<&Account> = accounts.collect();
    let chosen = consent
        .login_hint
        .as_deref()
        .filter(|hint| accounts.iter().any(|account| account.email == *hint))
        .or_else(|| accounts.first().map(|account| account.email.as_str()));
    let title =
        language.say("Cassius souhaite accéder à votre compte Google", "Cassius wants to access your Google Account");
    let content = html! {
        div.brand { b { "Google" } span { (language.say("émulé, sur cette machine", "emulated, on this machine")) } }
        h1 { (title) }
        p { (language.say("Retour vers", "You will go back to")) " " code { (consent.redirect_uri.origin().ascii_serialization()) } }
        form method="post" {
            fieldset {
                legend { (language.say("Choisissez un compte", "Choose an account")) }
                @for account in &accounts {
                    label {
                        input type="radio" name="account" value=(account.email) checked[chosen == Some(&account.email)] required;
                        span.avatar aria-hidden="true" { (account.name.chars().next().unwrap_or('?')) }
                        span { (account.name) small { (account.email) } }
                    }
                }
            }
            fieldset {
                legend { (language.say("Ce que Cassius pourra faire", "What Cassius will be able to do")) }
                @for scope in &consent.scopes {
                    @if is_optional(scope) {
                        label {
                            input type="checkbox" name="scope" value=(scope) checked;
                            span { (meaning(scope, language)) small { (scope) } }
                        }
                    }
                }
                p { (language.say("Votre adresse e-mail lui sera aussi montrée.", "It will also see your e-mail address.")) }
            }
            div.choices {
                button type="submit" name="decision" value="deny" formnovalidate { (language.say("Annuler", "Cancel")) }
                button.first type="submit" name="decision" value="allow" { (language.say("Continuer", "Continue")) }
            }
        }
    };
    shell(language, title, &content)
}

/// The page for a consent that is not asked for.
pub(crate) fn refused(refusal: &ConsentRefusal, language: Language) -> String {
    let title = language.say("Accès bloqué", "Access blocked");
    let content = html! {
        div.brand { b { "Google" } span { (language.say("émulé, sur cette machine", "emulated, on this machine")) } }
        h1 { (title) }
        p { (language.say("La demande de cette application n’est pas valable.", "This app’s request is invalid.")) }
        p { code { (language.say("Erreur", "Error")) " " (refusal.status.as_u16()) ": " (refusal.error) } }
        p { (refusal.meaning) }
    };
    shell(language, title, &content)
}

fn meaning(scope: &str, language: Language) -> &'static str {
    match scope.rsplit('/').next().unwrap_or_default() {
        "calendar.events" => language.say(
            "Consulter et modifier les événements de tous vos agendas",
            "View and edit events on all your calendars",
        ),
        "calendar.events.owned" => language
            .say("Modifier les événements des agendas qui vous appartiennent", "Edit events on calendars you own"),
        "calendar.calendarlist.readonly" => {
            language.say("Voir la liste de vos agendas", "See the list of your calendars")
        }
        "calendar" => language.say(
            "Consulter, modifier, partager et supprimer tous vos agendas",
            "See, edit, share and delete all your calendars",
        ),
        "calendar.app.created" => {
            language.say("Créer des agendas et en gérer les événements", "Make calendars and manage their events")
        }
        name if name.ends_with("readonly") => language.say("Consulter vos agendas", "View your calendars"),
        _ => language.say("Gérer vos agendas", "Manage your calendars"),
    }
}
