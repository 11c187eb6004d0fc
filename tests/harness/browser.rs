//! A browser as far as a consent needs one: cookies, and redirects that are followed by hand.

use std::collections::HashMap;
use std::net::SocketAddr;

use cassius_calendar::connection::COOKIE_NAME;
use cassius_calendar::grpc::pb::{BeginConnectRequest, ConnectCookie};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use url::Url;

use super::app::Integrations;

pub(crate) const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
pub(crate) const LIST: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";

pub(crate) struct Browser {
    http: reqwest::Client,
    sidecar: SocketAddr,
    pub(crate) cookies: HashMap<String, String>,
}

/// What a page answered.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(sidecar: SocketAddr) -> Self {
        let http = super::http::client().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, sidecar, cookies: HashMap::new() }
    }

    /// Another person's browser: it has no cookies.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.sidecar)
    }

    /// The address of a sidecar's page; the public URL leads here, whatever its port says.
    pub(crate) fn sidecar(&self, url: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        url.set_ip_host(self.sidecar.ip()).unwrap();
        url.set_port(Some(self.sidecar.port())).unwrap();
        url.into()
    }

    /// Sets the ticket's cookie as a host does: under the consent's own name.
    pub(crate) fn set(&mut self, cookie: &ConnectCookie) {
        self.cookies.insert(cookie.own_name.clone(), cookie.value.clone());
    }

    /// Name and value of the one ticket that is there.
    #[track_caller]
    pub(crate) fn ticket(&self) -> (String, String) {
        let mut tickets = self.cookies.iter().filter(|(name, _)| name.contains(COOKIE_NAME));
        let ((name, value), None) = (tickets.next().unwrap(), tickets.next()) else { panic!("several tickets") };
        (name.clone(), value.clone())
    }

    pub(crate) async fn get(&mut self, url: &str) -> Page {
        let request = self.http.get(url);
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
        let headers = response.headers().clone();
        for cookie in headers.get_all(SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = headers.get(LOCATION).map(|location| location.to_str().unwrap().to_owned());
        Page { status: response.status().as_u16(), location, headers, body: response.text().await.unwrap() }
    }

    /// Begins a consent and goes to Google's page: the address of that page.
    pub(crate) async fn go_to_google(&mut self, integrations: &mut Integrations, organisation: &str) -> String {
        let request = BeginConnectRequest {
            organisation_id: organisation.into(),
            return_url: "http://127.0.0.1:3000/settings/integrations/google-calendar".into(),
            ..Default::default()
        };
        let begun = integrations.begin_connect(request).await.unwrap().into_inner();
        self.set(&begun.connect_cookie.unwrap());
        let connect = self.sidecar(&begun.connect_url);
        let page = self.get(&connect).await;
        assert_eq!(page.status, 303, "{}", page.body);
        page.location.unwrap()
    }

    /// Decides on Google's page: the address that Google sends the browser back to.
    pub(crate) async fn decide(&mut self, consent: &str, email: &str, scopes: &[&str], decision: &str) -> String {
        let mut form = vec![("account", email), ("decision", decision)];
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let request = self.http.post(consent).form(&form);
        let page = self.send(request).await;
        assert_eq!(page.status, 303, "{}", page.body);
        let callback = page.location.unwrap();
        self.sidecar(&callback)
    }

    /// The whole way with every permission given: the outcome's word.
    pub(crate) async fn consent(&mut self, integrations: &mut Integrations, organisation: &str, email: &str) -> String {
        let consent = self.go_to_google(integrations, organisation).await;
        let callback = self.decide(&consent, email, &[EVENTS, LIST], "allow").await;
        let page = self.get(&callback).await;
        outcome(&page)
    }
}

/// The word that a callback adds to the return URL.
pub(crate) fn outcome(page: &Page) -> String {
    let location = page.location.as_deref().unwrap_or_else(|| panic!("no redirect: {} {}", page.status, page.body));
    let url = Url::parse(location).unwrap();
    url.query_pairs().find(|(name, _)| name == "google").unwrap().1.into_owned()
}
