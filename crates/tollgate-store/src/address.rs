//! Where a database is: a file of SQLite, or a server of PostgreSQL. The server's password is never
//! shown.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

/// What may stand behind the `?` of a server's address.
const PARAMETERS: [&str; 6] =
    ["application_name", "host", "sslcert", "sslkey", "sslmode", "sslrootcert"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Sqlite(PathBuf),
    Postgres(Server),
}

/// Where a database of PostgreSQL is, and who we are there.
#[derive(Clone)]
pub struct Server {
    address: SecretString,
    shown: String,
}

/// Why a text is not the address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("this is not the address of a PostgreSQL server")]
    NoAddress,
    #[error("it names no host and no database")]
    NoDatabase,
    #[error(
        "only `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `host` and `application_name` may stand behind the `?`"
    )]
    Parameter,
}

impl Server {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`.
    ///
    /// # Errors
    /// When it is none. The address is not quoted: it may hold a password.
    pub fn parse(address: &str) -> Result<Self, AddressError> {
        let inside = ["postgres://", "postgresql://"].iter().find_map(|s| address.strip_prefix(s));
        let inside = inside.ok_or(AddressError::NoAddress)?;
        let (place, parameters) = inside.split_once('?').unwrap_or((inside, ""));
        let database = place.rsplit_once('/').map_or("", |(_, database)| database);
        if database.is_empty() {
            return Err(AddressError::NoDatabase);
        }
        let mut named = parameters.split('&').filter(|pair| !pair.is_empty());
        if !named.all(|pair| PARAMETERS.contains(&pair.split('=').next().unwrap_or_default())) {
            return Err(AddressError::Parameter);
        }
        let options = PgConnectOptions::from_str(address).map_err(|_| AddressError::NoAddress)?;
        let shown = format!("{}:{}/{database}", options.get_host(), options.get_port());
        Ok(Self { address: address.into(), shown })
    }

    /// Whether the address itself holds a password.
    #[must_use]
    pub fn holds_password(&self) -> bool {
        let address = self.address.expose_secret();
        let user = address.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
        user.is_some_and(|(user, _)| user.contains(':'))
    }

    pub(crate) fn options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        PgConnectOptions::from_str(self.address.expose_secret())
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.address.expose_secret() == other.address.expose_secret()
    }
}

impl Eq for Server {}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.shown).finish()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(server) => f.write_str(&server.shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let server = Server::parse("postgres://gate:hunter2@db.internal/books").unwrap();
        assert!(server.holds_password());
        assert_eq!(format!("{server:?}"), r#"Server("db.internal:5432/books")"#);
        assert_eq!(Address::Postgres(server).to_string(), "db.internal:5432/books");
        let open = Server::parse("postgresql://gate@[::1]:7000/books?sslmode=verify-full").unwrap();
        assert!(!open.holds_password());
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_quoted() {
        for (address, why) in [
            ("postgres://gate:hunter2@db.internal", AddressError::NoDatabase),
            ("postgres://gate:hunter2@db.internal/", AddressError::NoDatabase),
            ("postgres://gate@db.internal:port/books", AddressError::NoAddress),
            ("mysql://gate@db.internal/books", AddressError::NoAddress),
            ("postgres://db.internal/books?passwort=hunter2", AddressError::Parameter),
            ("postgres://db.internal/books?options=-c%20x%3D1", AddressError::Parameter),
        ] {
            let refused = Server::parse(address).unwrap_err();
            assert_eq!(refused, why, "{address}");
            assert!(!refused.to_string().contains("hunter2"));
        }
    }
}
