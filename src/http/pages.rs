//! The pages of the sidecar, and the headers of all its answers.
//!
//! Owns what a person reads where a consent begins or has ended, in both languages, and the frame of every page. Never
//! shows on such a page what came with a request, but for one address to go back to, which the operator set or allowed.
//! Invariant: all else on it is made of sentences from this file, and where a grant that nobody keeps may
//! still stand, its one other link leads to Google's own page.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::connection::{ACCOUNT_PAGE, ConsentOutcome};
use crate::language::Language;
use crate::model::GrantEnd;

const STYLE: &str = "body{font:1.0625rem/1.5 system-ui,sans-serif;color:#1b1b1f;background:#f6f6f8;margin:0}\
main{max-width:34rem;margin:15vh auto;padding:2rem;background:#fff;border-radius:.75rem}\
h1{font-size:1.375rem;margin:0 0 .5rem}p{margin:0}p+p{margin-top:1rem}a{color:inherit}\
form{margin-top:1.5rem}button{font:inherit;padding:.5rem 1rem;margin:0 .75rem .5rem 0;border:1px solid;border-radius:.5rem;\
background:none;color:inherit;cursor:pointer}strong{overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{color:#ececf1;background:#131316}main{background:#1e1e23}}";

/// A page that a person may end up on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// There is no ticket: a consent starts elsewhere.
    Start,
    /// The ticket is that of another consent, which was begun in this browser since: this one goes no further.
    Overtaken,
    /// A consent has ended, and there is nowhere to go back to; with what became of a grant that nobody keeps.
    Ended(ConsentOutcome, Option<GrantEnd>),
    /// Something of ours is away.
    Unavailable,
    /// The browser sends more cookies than are read.
    TooManyCookies,
    /// Neither of the two addresses.
    NotFound,
    /// One of the two, but nobody who goes there asks in that way.
    MethodNotAllowed,
}

impl Page {
    /// The page as an answer, with a link to `back`; `None`: there is no address that it could lead to.
    pub(super) fn answer(self, language: Language, back: Option<&Url>) -> Response {
        let (title, text) = self.words(language);
        let back = back.map(|url| {
            let address = html_escape::encode_double_quoted_attribute(url.as_str());
            let words = match language {
                Language::French => "Revenir à Cassius",
                Language::English => "Back to Cassius",
            };
            format!("<p><a href=\"{address}\">{words}</a></p>")
        });
        let back = back.unwrap_or_default();
        let grant_end = self
            .grant_end_words(language)
            .map(|(words, page)| format!("<p>{words} <a href=\"{ACCOUNT_PAGE}\" rel=\"noreferrer\">{page}</a></p>"));
        let grant_end = grant_end.unwrap_or_default();
        document(self.code(), language, title, &format!("<p>{text}</p>{grant_end}{back}"))
    }

    /// What is said of a grant that may stand at Google though nobody keeps it, and what its own page there is called;
    /// `None`: none stands, or others use it.
    fn grant_end_words(self, language: Language) -> Option<(&'static str, &'static str)> {
        let page = match language {
            Language::French => "Les accès de votre compte Google",
            Language::English => "The connections of your Google account",
        };
        let words = match (self, language) {
            (Self::Ended(_, Some(GrantEnd::Pending)), Language::French) => {
                "L’accès que vous avez donné subsiste peut-être encore chez Google : Cassius le retire dès que Google répond. \
                 Vous pouvez aussi le retirer vous-même :"
            }
            (Self::Ended(_, Some(GrantEnd::Pending)), Language::English) => {
                "The access that you gave may still stand at Google: Cassius withdraws it as soon as Google answers. You can \
                 withdraw it yourself, too:"
            }
            (Self::Ended(_, Some(GrantEnd::Refused)), Language::French) => {
                "L’accès que vous avez donné subsiste peut-être encore chez Google, et Cassius n’a pas pu le retirer. \
                 Retirez-le vous-même :"
            }
            (Self::Ended(_, Some(GrantEnd::Refused)), Language::English) => {
                "The access that you gave may still stand at Google, and Cassius could not withdraw it. Withdraw it yourself:"
            }
            _ => return None,
        };
        Some((words, page))
    }

    fn code(self) -> StatusCode {
        match self {
            Self::Start | Self::Ended(ConsentOutcome::Expired, _) => StatusCode::BAD_REQUEST,
            Self::Ended(
                ConsentOutcome::Connected
                | ConsentOutcome::Denied
                | ConsentOutcome::Blocked
                | ConsentOutcome::MissingScope
                | ConsentOutcome::OtherAccount
                | ConsentOutcome::TryAgain
                | ConsentOutcome::Failed,
                _,
            ) => StatusCode::OK,
            Self::Overtaken => StatusCode::CONFLICT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooManyCookies => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    fn words(self, language: Language) -> (&'static str, &'static str) {
        match (self, language) {
            (Self::Start, Language::French) => (
                "Commencez dans Cassius",
                "Ouvrez les réglages de Cassius, puis Intégrations et Google Calendar, et choisissez « Connecter ».",
            ),
            (Self::Start, Language::English) => (
                "Start in Cassius",
                "Open the settings of Cassius, then Integrations and Google Calendar, and choose “Connect”.",
            ),
            (Self::Overtaken, Language::French) => (
                "Rien n’a été connecté ici",
                "Une autre connexion a été commencée depuis dans ce navigateur : recommencez celle-ci dans les réglages de \
                 Cassius.",
            ),
            (Self::Overtaken, Language::English) => (
                "Nothing was connected here",
                "Another connection was begun in this browser since: start this one again in the settings of Cassius.",
            ),
            (Self::Ended(ConsentOutcome::Connected, _), Language::French) => {
                ("Google Calendar est connecté", "Vous pouvez fermer cette page et revenir à Cassius.")
            }
            (Self::Ended(ConsentOutcome::Connected, _), Language::English) => {
                ("Google Calendar is connected", "You can close this page and go back to Cassius.")
            }
            (Self::Ended(ConsentOutcome::Denied, _), Language::French) => (
                "Rien n’a été connecté",
                "Vous avez refusé l’accès à Google Calendar. Pour le permettre, recommencez dans les réglages de Cassius.",
            ),
            (Self::Ended(ConsentOutcome::Denied, _), Language::English) => (
                "Nothing was connected",
                "You refused access to Google Calendar. To allow it, start again in the settings of Cassius.",
            ),
            (Self::Ended(ConsentOutcome::Blocked, _), Language::French) => (
                "Votre organisation Google bloque la connexion",
                "L’administrateur de ce compte Google n’autorise pas Cassius. Demandez-lui de l’autoriser, ou recommencez \
                 avec un autre compte.",
            ),
            (Self::Ended(ConsentOutcome::Blocked, _), Language::English) => (
                "Your Google organisation blocks the connection",
                "The administrator of this Google account does not allow Cassius. Ask for it to be allowed, or start again \
                 with another account.",
            ),
            (Self::Ended(ConsentOutcome::MissingScope, _), Language::French) => (
                "Une autorisation manque",
                "Sans l’autorisation de modifier les événements, rien ne peut être synchronisé. Recommencez dans les \
                 réglages de Cassius et cochez-la.",
            ),
            (Self::Ended(ConsentOutcome::MissingScope, _), Language::English) => (
                "A permission is missing",
                "Without the permission to edit events nothing can be synchronised. Start again in the settings of \
                 Cassius and tick it.",
            ),
            (Self::Ended(ConsentOutcome::Expired, _), Language::French) => (
                "Cette demande n’est plus valable",
                "Elle a expiré, a déjà servi, ou a commencé dans un autre navigateur. Les réglages de Cassius disent si un \
                 compte est connecté ; sinon, recommencez là.",
            ),
            (Self::Ended(ConsentOutcome::Expired, _), Language::English) => (
                "This request is no longer valid",
                "It has expired, was used before, or began in another browser. The settings of Cassius say whether an \
                 account is connected; if none is, start again there.",
            ),
            (Self::Ended(ConsentOutcome::OtherAccount, _), Language::French) => (
                "C’est un autre compte Google",
                "Un autre compte est déjà connecté. Confirmez le changement dans les réglages de Cassius.",
            ),
            (Self::Ended(ConsentOutcome::OtherAccount, _), Language::English) => (
                "This is another Google account",
                "Another account is connected already. Confirm the change in the settings of Cassius.",
            ),
            (Self::Ended(ConsentOutcome::TryAgain, _), Language::French) => (
                "Il faut recommencer",
                "L’accès de ce compte a été retiré pendant la connexion. Recommencez dans les réglages de Cassius.",
            ),
            (Self::Ended(ConsentOutcome::TryAgain, _), Language::English) => (
                "Please start again",
                "The access of this account was withdrawn during the connection. Start again in the settings of Cassius.",
            ),
            (Self::Ended(ConsentOutcome::Failed, _), Language::French) => (
                "Google n’a pas terminé la connexion",
                "Rien n’a été connecté. Recommencez dans les réglages de Cassius.",
            ),
            (Self::Ended(ConsentOutcome::Failed, _), Language::English) => (
                "Google did not complete the connection",
                "Nothing was connected. Start again in the settings of Cassius.",
            ),
            (Self::Unavailable, Language::French) => (
                "Service momentanément indisponible",
                "Rien n’est perdu. Réessayez dans quelques instants depuis les réglages de Cassius.",
            ),
            (Self::Unavailable, Language::English) => (
                "Unavailable for the moment",
                "Nothing is lost. Try again in a few moments from the settings of Cassius.",
            ),
            (Self::TooManyCookies, Language::French) => (
                "Votre navigateur envoie trop de cookies",
                "Effacez les cookies de ce site dans les réglages de votre navigateur, reconnectez-vous à Cassius, puis \
                 choisissez de nouveau « Connecter ».",
            ),
            (Self::TooManyCookies, Language::English) => (
                "Your browser sends too many cookies",
                "Clear the cookies of this site in the settings of your browser, sign in to Cassius again, and choose \
                 “Connect” once more.",
            ),
            (Self::NotFound, Language::French) => (
                "Cette page n’existe pas",
                "Google Calendar se connecte depuis les réglages de Cassius : Intégrations, puis Google Calendar.",
            ),
            (Self::NotFound, Language::English) => (
                "There is no such page",
                "Google Calendar is connected from the settings of Cassius: Integrations, then Google Calendar.",
            ),
            (Self::MethodNotAllowed, Language::French) => (
                "Cette page ne s’ouvre pas ainsi",
                "Google Calendar se connecte depuis les réglages de Cassius : Intégrations, puis Google Calendar.",
            ),
            (Self::MethodNotAllowed, Language::English) => (
                "This page does not open in this way",
                "Google Calendar is connected from the settings of Cassius: Integrations, then Google Calendar.",
            ),
        }
    }
}

/// A page with this title and this body, which is HTML.
pub(super) fn document(code: StatusCode, language: Language, title: &str, body: &str) -> Response {
    let tag = language.tag();
    let body = format!(
        "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let language = [(header::CONTENT_LANGUAGE, HeaderValue::from_static(tag))];
    (code, language, Html(body)).into_response()
}

/// What a page may load and where its form may lead: `form_action` as the policy spells it.
pub(super) fn policy(form_action: &str) -> HeaderValue {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; frame-ancestors 'none'; base-uri 'none'; \
         form-action {form_action}"
    );
    HeaderValue::from_str(&policy).expect("base64, origins and the policy's words are visible ASCII")
}

/// Gives an answer, page or not, the headers of all answers, as far as it has none of its own.
pub(super) fn guard(headers: &mut HeaderMap) {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| policy("'none'"));
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| POLICY.clone());
}
