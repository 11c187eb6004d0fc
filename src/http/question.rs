//! The page that asks before a grant is kept: this account, for that practice?
//!
//! Owns its words, in both languages. Never keeps or drops the grant: the callback does, as the form says. Invariant:
//! it shows the name that Cassius gave the practice and the address that Google gave the account, both escaped, and its
//! form leads to the callback alone, and from there to the consent's own return URL.

use axum::http::{StatusCode, header};
use axum::response::Response;
use html_escape::{encode_double_quoted_attribute, encode_text};
use url::Url;

use super::pages::{document, policy};
use super::{ANSWER, CONFIRM};
use crate::config::CALLBACK_PATH;
use crate::connection::Question;
use crate::crypto::ExposeSecret as _;
use crate::language::Language;
use crate::model::is_invisible;

struct Words {
    title: &'static str,
    practice: &'static str,
    account: &'static str,
    effect: &'static str,
    connect: &'static str,
    refuse: &'static str,
}

const FRENCH: Words = Words {
    title: "Connecter ce compte à ce cabinet ?",
    practice: "Cabinet :",
    account: "Compte Google :",
    effect: "Les rendez-vous de ce cabinet seront écrits dans l’agenda de ce compte. Si vous n’avez pas commencé cette \
             connexion vous-même, ou si ce n’est pas votre cabinet, ne connectez rien.",
    connect: "Connecter",
    refuse: "Ne rien connecter",
};

const ENGLISH: Words = Words {
    title: "Connect this account to this practice?",
    practice: "Practice:",
    account: "Google account:",
    effect: "The appointments of this practice will be written to the calendar of this account. If you did not start this \
             connection yourself, or if it is not your practice, connect nothing.",
    connect: "Connect",
    refuse: "Connect nothing",
};

/// The page, with its form.
pub(super) fn answer(question: &Question, language: Language) -> Response {
    let Words { title, practice, account, effect, connect, refuse } = match language {
        Language::French => FRENCH,
        Language::English => ENGLISH,
    };
    let name: String = question.practice.chars().filter(|c| !is_invisible(*c)).collect();
    let (name, address) = (encode_text(&name), encode_text(&question.account));
    let state = encode_double_quoted_attribute(question.state.expose_secret());
    let body = format!(
        "<p>{practice} <strong>{name}</strong></p><p>{account} <strong>{address}</strong></p><p>{effect}</p>\
         <form action=\"{CALLBACK_PATH}\"><input type=\"hidden\" name=\"state\" value=\"{state}\">\
         <button name=\"{ANSWER}\" value=\"{CONFIRM}\">{connect}</button>\
         <button name=\"{ANSWER}\" value=\"refuse\">{refuse}</button></form>"
    );
    // A browser holds the redirect behind a form against the policy too.
    let back = question.return_url.as_deref().and_then(|url| Url::parse(url).ok());
    let back = back.map(|url| format!(" {}", url.origin().ascii_serialization())).unwrap_or_default();
    let mut response = document(StatusCode::OK, language, title, &body);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy(&format!("'self'{back}")));
    response
}
