//! TLS to the database: what each mode accepts, and what is said when it does not.

use super::guarded::{address, guarded};
use super::support::{LIKES, USERS, applied, fresh, send, sql, up, versions};
use slipway_deploy::database::connect;
use std::path::Path;

/// Why there is no connection.
async fn refused(url: &str) -> String {
    match connect(url).await {
        Ok(_) => panic!("{url} lets in"),
        Err(error) => error.to_string(),
    }
}

fn written(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_mode_but_disable_reaches_a_server_that_wants_tls() {
    let guarded = guarded().await;
    for mode in ["", "?sslmode=allow", "?sslmode=prefer", "?sslmode=require"] {
        let database = connect(&guarded.url("tls", "127.0.0.1", mode).await).await.unwrap();
        assert_eq!(applied(&*database).await, versions(&[]), "{mode}");
    }
    let error = refused(&guarded.url("tls", "127.0.0.1", "?sslmode=disable").await).await;
    assert!(error.contains("no pg_hba.conf entry for host \"127.0.0.1\", user \"tls\""), "{error}");
    assert!(error.ends_with("look at its pg_hba.conf, and at sslmode in the address."), "{error}");
}

#[tokio::test]
async fn a_certificate_is_checked_against_its_authority_and_its_name() {
    let guarded = guarded().await;
    let directory = tempfile::tempdir().unwrap();
    let known = written(directory.path(), "ca.pem", &guarded.authority);
    let stranger = written(directory.path(), "stranger.pem", &guarded.stranger);
    let full = format!("?sslmode=verify-full&sslrootcert={known}");
    let url = guarded.url("tls", "localhost", &full).await;
    let owner = address(&url, "slipway", "127.0.0.1", "");
    send(&mut sql(&owner).await, "GRANT CREATE ON SCHEMA public TO tls").await;
    let database = connect(&url).await.unwrap();
    // Each connection of a run, not only the first, is of this kind.
    assert_eq!(up(&*database, &[LIKES, USERS]).await.unwrap(), versions(&[1, 2]));
    let by_number = guarded.url("tls", "127.0.0.1", &format!("?sslmode=verify-ca&sslrootcert={known}")).await;
    connect(&by_number).await.unwrap();

    let error = refused(&guarded.url("tls", "127.0.0.1", &full).await).await;
    assert!(error.ends_with("The server's certificate is for another host: use the name that is in it."), "{error}");
    for mode in ["require", "verify-ca", "verify-full"] {
        let unknown = format!("?sslmode={mode}&sslrootcert={stranger}");
        let error = refused(&guarded.url("tls", "localhost", &unknown).await).await;
        assert!(error.contains("is from no authority that is trusted here: name the"), "{mode}: {error}");
    }
    let error = refused(&guarded.url("tls", "localhost", "?sslmode=verify-full").await).await;
    assert!(error.contains("is from no authority that is trusted here"), "{error}");
    let nowhere = format!("?sslmode=verify-full&sslrootcert={known}.gone");
    let error = refused(&guarded.url("tls", "localhost", &nowhere).await).await;
    assert!(error.contains("Look at what the address names"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_when_tls_is_wanted() {
    let url = fresh().await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let error = refused(&address(&url, "slipway", "127.0.0.1", &format!("?sslmode={mode}"))).await;
        assert!(error.contains("Switch TLS on there (ssl = on), or take another sslmode"), "{error}");
    }
    for mode in ["disable", "allow", "prefer"] {
        connect(&address(&url, "slipway", "127.0.0.1", &format!("?sslmode={mode}"))).await.unwrap();
    }
}

#[tokio::test]
async fn a_user_may_come_with_a_certificate() {
    let guarded = guarded().await;
    let directory = tempfile::tempdir().unwrap();
    let certificate = written(directory.path(), "badge.pem", &guarded.badge.0);
    let key = written(directory.path(), "badge.key", &guarded.badge.1);
    let parameters = format!("?sslmode=require&sslcert={certificate}&sslkey={key}");
    connect(&guarded.url("badge", "127.0.0.1", &parameters).await).await.unwrap();
    let error = refused(&guarded.url("badge", "127.0.0.1", "?sslmode=require").await).await;
    assert!(error.contains("certificate") && error.contains("pg_hba.conf"), "{error}");
}
