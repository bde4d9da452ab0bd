//! The address of a store: `sqlite:PATH` or `postgres://…`. Reading and showing it, nothing else.

use super::StoreError;
use std::fmt;
use std::path::PathBuf;

/// Where the store is.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// One file on this machine.
    Sqlite(PathBuf),
    /// A Postgres server, or several of which one takes writes; the whole URL, with its password. Without `sslmode`, a server on another machine
    /// must prove its name (`verify-full`); one on this machine need not (`prefer`).
    Postgres(String),
}

impl StoreUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] for anything but `sqlite:PATH` and `postgres://…`.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.contains(":memory:") {
                return Err(StoreError::Unusable("The store needs a file: sqlite:PATH.".to_owned()));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(StoreError::Unusable(
            "The store's address is sqlite:PATH or postgres://USER@HOST/DATABASE (or HOST,HOST).".to_owned(),
        ))
    }

    /// The whole address, as [`StoreUrl::parse`] reads it: with the password, so for a process of ours only, never
    /// for a screen or a log.
    #[must_use]
    pub fn with_password(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

/// The addresses of the single hosts that a Postgres address names, separated by commas, and whether it
/// asks for a server that takes writes (`target_session_attrs`, which the driver does not know).
pub(super) fn hosts_of(url: &str) -> Result<(Vec<String>, bool), StoreError> {
    let unreadable = || StoreError::Unusable("The address of the Postgres store cannot be read.".to_owned());
    let (scheme, rest) = url.split_once("://").ok_or_else(unreadable)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (account, hosts) =
        authority.rsplit_once('@').map_or((None, authority), |(account, hosts)| (Some(account), hosts));
    let (mut kept, mut wants_writes) = (Vec::new(), false);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some((SESSION, "read-write" | "primary")) => wants_writes = true,
            Some((SESSION, "any")) => {}
            Some((SESSION, _)) => {
                return Err(StoreError::Unusable(
                    "The store's target_session_attrs is read-write, primary or any.".to_owned(),
                ));
            }
            _ => kept.push(pair),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let account = account.map(|account| format!("{account}@")).unwrap_or_default();
    let hosts = hosts.split(',').map(|host| format!("{scheme}://{account}{host}{path}{query}")).collect();
    Ok((hosts, wants_writes))
}

/// The word of an address for what a server has to be.
const SESSION: &str = "target_session_attrs";

/// Whether a Postgres address, or the environment, says how the server proves itself.
pub(super) fn names_ssl_mode(url: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let named = query.split('&').any(|pair| pair.starts_with("sslmode=") || pair.starts_with("ssl-mode="));
    named || std::env::var_os("PGSSLMODE").is_some()
}

/// Without the password: this is what screens and logs show.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "postgres://{host}")
            }
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_shown() {
        let url = StoreUrl::parse("postgres://cook:s3cr@t@db.example/servery?password=alsosecret").expect("url");
        assert_eq!(url.to_string(), "postgres://db.example/servery");
        assert!(!format!("{url:?}").contains("s3cr"));
    }

    #[test]
    fn an_address_may_name_several_hosts() {
        let hosts = |url: &str| hosts_of(url).expect("hosts");
        let one = "postgres://cook:s3cr@t@db.example/servery?sslmode=disable";
        assert_eq!(hosts(one), (vec![one.to_owned()], false));
        assert_eq!(
            hosts("postgres://cook:pw@a:1,[::1]:2,c/servery?target_session_attrs=read-write&sslmode=disable"),
            (
                vec![
                    "postgres://cook:pw@a:1/servery?sslmode=disable".to_owned(),
                    "postgres://cook:pw@[::1]:2/servery?sslmode=disable".to_owned(),
                    "postgres://cook:pw@c/servery?sslmode=disable".to_owned(),
                ],
                true
            )
        );
        assert_eq!(hosts("postgres://a,b").0, ["postgres://a", "postgres://b"]);
        assert!(hosts_of("postgres://a,b/x?target_session_attrs=standby").is_err());
        let shown = StoreUrl::parse("postgres://cook:pw@a:1,b:2/servery").expect("url").to_string();
        assert_eq!(shown, "postgres://a:1,b:2/servery");
    }

    #[test]
    fn other_addresses_are_refused() {
        for text in ["", "mysql://x", "sqlite:", "sqlite::memory:", "/tmp/x.db"] {
            assert!(StoreUrl::parse(text).is_err(), "{text}");
        }
        assert_eq!(StoreUrl::parse("sqlite:/a/b.db").expect("url"), StoreUrl::Sqlite("/a/b.db".into()));
        assert_eq!(StoreUrl::parse("sqlite:///a/b.db").expect("url"), StoreUrl::Sqlite("/a/b.db".into()));
    }
}
