//! A PostgreSQL that looks at who comes: TLS, passwords, users with few rights.

use super::support::{send, sql};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use slipway_sandbox::postgres::Postgres;
use tokio::sync::OnceCell;

/// The password of `ana`.
pub(super) const PASSWORD: &str = "hunter22";

const CONFIGURATION: &str = "\
ssl = on
ssl_cert_file = '../server.crt'
ssl_key_file = '../server.key'
ssl_ca_file = '../ca.crt'
password_encryption = 'scram-sha-256'
";

const HBA: &str = "\
host    all slipway 127.0.0.1/32 trust
host    all few     127.0.0.1/32 trust
host    all crowded 127.0.0.1/32 trust
host    all ana     127.0.0.1/32 scram-sha-256
hostssl all tls     127.0.0.1/32 trust
hostssl all badge   127.0.0.1/32 cert
";

const ROLES: &str = "\
CREATE ROLE ana LOGIN PASSWORD 'hunter22'; CREATE ROLE few LOGIN; CREATE ROLE tls LOGIN; CREATE ROLE badge LOGIN;
CREATE ROLE crowded LOGIN CONNECTION LIMIT 0";

/// The server, whose certificate is for `localhost`, and texts in PEM form.
pub(super) struct Guarded {
    pub(super) server: Postgres,
    /// The authority that the server's certificate is from.
    pub(super) authority: String,
    /// One that it is not from.
    pub(super) stranger: String,
    /// The certificate of the user `badge`, and its key.
    pub(super) badge: (String, String),
}

/// One for all tests.
pub(super) async fn guarded() -> &'static Guarded {
    static GUARDED: OnceCell<Guarded> = OnceCell::const_new();
    GUARDED.get_or_init(start).await
}

async fn start() -> Guarded {
    let (authority, issuer) = new_authority("Goals authority");
    let (stranger, _) = new_authority("Stranger");
    let (certificate, key) = signed("localhost", &issuer);
    let badge = signed("badge", &issuer);
    let ca = authority.clone();
    let server = tokio::task::spawn_blocking(move || {
        Postgres::start_with(&[
            ("extra.conf", CONFIGURATION),
            ("pg_hba.conf", HBA),
            ("server.crt", &certificate),
            ("server.key", &key),
            ("ca.crt", &ca),
        ])
    });
    let server = server.await.unwrap().unwrap();
    send(&mut sql(&server.url("postgres")).await, ROLES).await;
    Guarded { server, authority, stranger, badge }
}

fn new_authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages.extend([KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign]);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), Issuer::new(params, key))
}

fn signed(name: &str, issuer: &Issuer<'_, KeyPair>) -> (String, String) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

impl Guarded {
    /// The address of a new database, for this user and host. `parameters` begins with `?` or is empty.
    pub(super) async fn url(&self, user: &str, host: &str, parameters: &str) -> String {
        let url = self.server.fresh_database().await.unwrap();
        address(&url, user, host, parameters)
    }
}

/// The address of the same database for another user, host and parameters.
pub(super) fn address(url: &str, user: &str, host: &str, parameters: &str) -> String {
    let (_, place) = url.split_once('@').unwrap();
    let (place, _) = place.split_once('?').unwrap();
    format!("postgres://{user}@{}{parameters}", place.replace("127.0.0.1", host))
}
