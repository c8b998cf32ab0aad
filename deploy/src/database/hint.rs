//! What to do about errors that come from the state of the database or the way to it, not from the migration.

use rustls::{CertificateError, Error as TlsError};
use std::io::ErrorKind;

/// Advice for PostgreSQL's SQLSTATE; `None` where the message says enough.
pub(super) fn postgres(code: &str) -> Option<&'static str> {
    Some(match code {
        "25006" => {
            "The database is read-only: give Slipway the address of the primary, and look at \
             default_transaction_read_only."
        }
        "28P01" => "The server does not let this user in: look at user and password in the address.",
        "28000" => {
            "The server does not let this user in from here: look at its pg_hba.conf, and at sslmode in the address."
        }
        "3D000" => "Create the database, or correct the name in the address.",
        "42501" => "The user lacks a right: GRANT it, or give Slipway a user that owns the schema.",
        "53100" => "The server's disk is full: make room, then run again.",
        "53300" => "Close connections or raise the limit of the server or the user, then run again.",
        "53400" => "A limit in the server's configuration is reached: raise it, then run again.",
        "57P01" | "57P02" => "The server ended the session: see whether it is restarting, then run again.",
        "57P03" => "Run again when the server takes connections.",
        _ => return None,
    })
}

/// Advice for SQLite's result code, of which the lowest byte says what it is.
pub(super) fn sqlite(code: u32) -> Option<&'static str> {
    Some(match code & 0xff {
        8 => {
            "The database is read-only: look at the rights of the file and its directory, and at ?mode= in the \
             address."
        }
        10 => "The file cannot be read or written: look at the disk, then run again.",
        11 => "The file is damaged: restore it from a copy.",
        13 => "The database is full: make room on the disk or raise max_page_count, then run again.",
        14 => "The file cannot be opened: its directory must be there and writable.",
        26 => "The file is not a SQLite database: look at the path in the address.",
        _ => return None,
    })
}

/// Advice for what goes wrong on the way to a server.
pub(super) fn network(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::Io(error) => {
            let tls = error.get_ref().and_then(|error| error.downcast_ref::<TlsError>());
            tls.map_or_else(|| io(error), certificate)
        }
        sqlx::Error::Tls(error) => match error.downcast_ref::<TlsError>() {
            Some(error) => certificate(error),
            None if error.to_string().contains("does not support TLS") => {
                Some("Switch TLS on there (ssl = on), or take another sslmode in the address.")
            }
            None => Some("Look at sslmode, sslrootcert, sslcert and sslkey in the address."),
        },
        _ => None,
    }
}

fn io(error: &std::io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            Some("Nothing listens there: see whether the server runs, and look at host and port in the address.")
        }
        ErrorKind::NotFound => {
            Some("Look at what the address names: the directory of the socket, sslrootcert, sslcert, sslkey.")
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::TimedOut => {
            Some("Look at the host in the address and at the network between.")
        }
        _ if error.to_string().contains("lookup") => Some("Look at the host in the address."),
        _ => None,
    }
}

fn certificate(error: &TlsError) -> Option<&'static str> {
    let TlsError::InvalidCertificate(error) = error else { return None };
    Some(match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "The server's certificate is from no authority that is trusted here: name the authority's certificate as \
             sslrootcert in the address."
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "The server's certificate is for another host: use the name that is in it."
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "The server's certificate has run out: renew it there."
        }
        _ => "The server's certificate is not in order: renew it there.",
    })
}
