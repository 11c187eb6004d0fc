//! The file of passwords that libpq knows.
//!
//! Owns how it reads, and which of its passwords is a server's. Never shows one. Invariant: what is no file is not opened: that
//! may take for ever.

use std::net::IpAddr;
use std::path::Path;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The lines of a passfile, each by its fields: `host:port:database:user:password`.
#[derive(Default)]
pub(super) struct Passfile(Vec<Vec<String>>);

impl Passfile {
    /// Reads it; `None`: it cannot be read.
    pub(super) fn read(file: &Path) -> Option<Self> {
        let is_file = std::fs::metadata(file).is_ok_and(|found| found.is_file());
        let text = is_file.then(|| std::fs::read_to_string(file).ok()).flatten()?;
        let lines = text.lines().filter(|line| !line.starts_with('#')).map(fields);
        Some(Self(lines.filter(|fields| fields.len() == 5).collect()))
    }

    /// The password of the first line that fits a server, where `*` fits all.
    pub(super) fn password(&self, server: &Config) -> Option<String> {
        let hosts = match (server.get_hosts().first(), server.get_hostaddrs().first()) {
            (Some(Host::Tcp(name)), _) => vec![name.clone()],
            // libpq calls the folder where a server listens by itself `localhost`.
            #[cfg(unix)]
            (Some(Host::Unix(folder)), _) => vec!["localhost".to_owned(), folder.display().to_string()],
            (None, number) => number.map(IpAddr::to_string).into_iter().collect(),
        };
        let port = server.get_ports().first().copied().unwrap_or(5432).to_string();
        let user = server.get_user().unwrap_or_default();
        let database = server.get_dbname().unwrap_or(user);
        let fits = |fields: &[String]| {
            (fields[0] == "*" || hosts.contains(&fields[0]))
                && fields[1..]
                    .iter()
                    .zip([&*port, database, user])
                    .all(|(field, wanted)| field == "*" || field == wanted)
        };
        self.0.iter().find(|fields| fits(fields)).and_then(|fields| fields.last().cloned())
    }
}

/// The fields of a line; a backslash keeps the sign behind it.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut signs = line.chars();
    while let Some(sign) = signs.next() {
        match (sign, fields.last_mut().expect("there is one field at least")) {
            ('\\', field) => field.extend(signs.next()),
            (':', _) => fields.push(String::new()),
            (sign, field) => field.push(sign),
        }
    }
    fields
}
