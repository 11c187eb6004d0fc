//! The servers that one address names.
//!
//! Owns what of the address is each server's, and which one is asked first. Never connects. Invariant: a server that takes a
//! connection and says nothing keeps nobody from the next one, however soon whoever waits for it gives up.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, TargetSessionAttrs};

/// The servers of an address. A clone is another handle on the same ones.
#[derive(Clone)]
pub(super) struct Servers {
    each: Vec<Config>,
    /// Which of them is asked first: the one that answered last.
    first: Arc<AtomicUsize>,
}

/// A server whose turn it is. Unless it is told that it answered, another one is asked first from then on.
pub(super) struct Turn<'a> {
    pub(super) server: &'a Config,
    own: usize,
    then: usize,
    first: &'a AtomicUsize,
}

impl Servers {
    /// Those of an address whose hosts, addresses and ports fit together.
    pub(super) fn of(address: &Config) -> Self {
        let count = address.get_hosts().len().max(address.get_hostaddrs().len());
        let first = match address.get_load_balance_hosts() {
            LoadBalanceHosts::Random => drawn_below(count),
            _ => 0,
        };
        let each = (0..count).map(|index| alone(address, index)).collect();
        let mut servers = Self { each, first: Arc::new(AtomicUsize::new(first)) };
        // Of several, one that is a standby is not the one that is meant.
        if count > 1 && address.get_target_session_attrs() == TargetSessionAttrs::Any {
            servers.change(|server| {
                server.target_session_attrs(TargetSessionAttrs::ReadWrite);
            });
        }
        servers
    }

    /// Changes what is said of each of them.
    pub(super) fn change(&mut self, change: impl FnMut(&mut Config)) {
        self.each.iter_mut().for_each(change);
    }

    /// Each of them once, the one that answered last before all others.
    pub(super) fn turns(&self) -> impl Iterator<Item = Turn<'_>> {
        let (count, first) = (self.each.len(), self.first.load(Ordering::Relaxed));
        (first..first + count).map(move |turn| {
            let (own, then) = (turn % count, (turn + 1) % count);
            Turn { server: &self.each[own], own, then, first: &self.first }
        })
    }
}

impl Turn<'_> {
    /// It is asked first from now on.
    pub(super) fn answered(mut self) {
        self.then = self.own;
        self.first.store(self.own, Ordering::Relaxed);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Whoever answered another one meanwhile stays first.
        let _ = self.first.compare_exchange(self.own, self.then, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// A number that is drawn for this process.
fn drawn_below(count: usize) -> usize {
    let drawn = RandomState::new().hash_one(());
    usize::try_from(drawn % count.max(1) as u64).unwrap_or_default()
}

/// An address with one of its servers alone.
fn alone(address: &Config, index: usize) -> Config {
    let mut one = Config::new();
    one.ssl_mode(address.get_ssl_mode())
        .ssl_negotiation(address.get_ssl_negotiation())
        .keepalives(address.get_keepalives())
        .keepalives_idle(address.get_keepalives_idle())
        .target_session_attrs(address.get_target_session_attrs())
        .channel_binding(address.get_channel_binding())
        .load_balance_hosts(address.get_load_balance_hosts());
    if let Some(user) = address.get_user() {
        one.user(user);
    }
    if let Some(password) = address.get_password() {
        one.password(password);
    }
    if let Some(name) = address.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = address.get_options() {
        one.options(options);
    }
    if let Some(name) = address.get_application_name() {
        one.application_name(name);
    }
    if let Some(limit) = address.get_connect_timeout() {
        one.connect_timeout(*limit);
    }
    if let Some(limit) = address.get_tcp_user_timeout() {
        one.tcp_user_timeout(*limit);
    }
    if let Some(interval) = address.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = address.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    match address.get_hosts().get(index) {
        Some(Host::Tcp(name)) => {
            one.host(name);
        }
        #[cfg(unix)]
        Some(Host::Unix(path)) => {
            one.host_path(path);
        }
        None => {}
    }
    if let Some(number) = address.get_hostaddrs().get(index) {
        one.hostaddr(*number);
    }
    let ports = address.get_ports();
    if let Some(port) = ports.get(index).or(ports.first()) {
        one.port(*port);
    }
    one
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn servers(url: &str) -> Servers {
        Servers::of(&url.parse().expect("an address"))
    }

    #[test]
    fn each_server_keeps_all_that_the_address_says() {
        let options = "options=-c%20a%3Db&application_name=a&sslmode=require&sslnegotiation=direct&connect_timeout=7\
            &tcp_user_timeout=8&keepalives=0&keepalives_idle=9&keepalives_interval=10&keepalives_retries=11\
            &channel_binding=require&target_session_attrs=read-only";
        let Servers { each, .. } = servers(&format!("postgres://u:p@one:1,%2Ftwo:2/x?{options}"));
        let alone = |url: &str| format!("{url}{options}").parse::<Config>().expect("an address");
        assert_eq!(each, [alone("postgres://u:p@one:1/x?"), alone("postgres://u:p@%2Ftwo:2/x?")]);
        let Servers { each, .. } = servers("postgres://one,two:5432/x?hostaddr=10.0.0.1,10.0.0.2");
        let ports = each.iter().map(|server| (server.get_hostaddrs().len(), server.get_ports().len()));
        assert_eq!(ports.collect::<Vec<_>>(), [(1, 1), (1, 1)]);
    }

    #[test]
    fn whoever_says_nothing_is_asked_last_the_next_time() {
        let servers = servers("postgres://one,two,three/x");
        let asked = |servers: &Servers| {
            let Host::Tcp(name) = servers.turns().next().expect("a server").server.get_hosts()[0].clone() else {
                unreachable!("it is a name")
            };
            name
        };
        // Whoever waited for it has given up: its turn is dropped.
        assert_eq!([asked(&servers), asked(&servers), asked(&servers)], ["one", "two", "three"]);
        servers.turns().nth(1).expect("a server").answered();
        assert_eq!(asked(&servers), "two");
    }

    #[test]
    fn in_a_random_order_too_each_server_stands_for_itself() {
        let first_of = |_| {
            let servers = servers("postgres://one,two/x?load_balance_hosts=random");
            assert!(servers.each.len() == 2 && servers.each.iter().all(|server| server.get_hosts().len() == 1));
            servers.first.load(Ordering::Relaxed)
        };
        let firsts: BTreeSet<usize> = (0..64).map(first_of).collect();
        assert_eq!(firsts, BTreeSet::from([0, 1]));
    }

    #[test]
    fn of_several_servers_the_one_that_takes_writes_is_meant() {
        for (url, wanted) in [
            ("postgres://one/x", TargetSessionAttrs::Any),
            ("postgres://one,two/x", TargetSessionAttrs::ReadWrite),
            ("postgres://one,two/x?load_balance_hosts=random", TargetSessionAttrs::ReadWrite),
            ("postgres://one,two/x?target_session_attrs=read-only", TargetSessionAttrs::ReadOnly),
        ] {
            let Servers { each, .. } = servers(url);
            assert!(each.iter().all(|server| server.get_target_session_attrs() == wanted), "{url}");
        }
    }
}
