//! What addresses mean, and that none is shown with its password.

use super::{Address, DatabaseUrl};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

fn pg(text: &str) -> PgConnectOptions {
    match DatabaseUrl::parse(text).unwrap().address {
        Address::Postgres(options) => *options,
        Address::Sqlite(_) => panic!("{text} is SQLite"),
    }
}

#[test]
fn each_form_is_understood() {
    for text in [
        "postgres://ana:s3cret%40@db.example:6432/goals?sslmode=disable",
        "postgresql://ana:s3cret%40@db.example:6432/goals",
        "user=ana password='s3\\cret@' host=db.example port = 6432 dbname=goals sslmode=disable connect_timeout=5",
    ] {
        let options = pg(text);
        assert_eq!(
            (options.get_username(), options.get_host(), options.get_port(), options.get_database()),
            ("ana", "db.example", 6432, Some("goals")),
            "{text}"
        );
        assert_eq!(DatabaseUrl::parse(text).unwrap().to_string(), "postgres://db.example:6432/goals");
    }
    let options = pg("host=/run/postgresql user=ana dbname=goals search_path=app options='-c geqo=off'");
    assert_eq!(options.get_socket().unwrap().to_str(), Some("/run/postgresql"));
    assert_eq!(options.get_options(), Some("-c search_path=app -c geqo=off"));
    for text in ["postgres://ana:pw@/goals?host=/run/db", "postgres:///goals?host=/run/db&user=ana"] {
        let options = pg(text);
        assert_eq!(options.get_socket().unwrap().to_str(), Some("/run/db"), "{text}");
        assert_eq!((options.get_username(), options.get_database()), ("ana", Some("goals")), "{text}");
    }
    for text in [
        "sqlite:goals.db",
        "sqlite3:goals.db",
        "sqlite://goals.db?mode=rwc",
        "sqlite:///var/goals.db",
        "sqlite::memory:",
    ] {
        assert!(matches!(DatabaseUrl::parse(text).unwrap().address, Address::Sqlite(_)), "{text}");
    }
}

#[test]
fn nothing_that_is_refused_or_shown_contains_the_password() {
    for text in [
        "postgres://ana:hunter22@host:port/db",
        "postgres://ana:x?hunter22@host/db",
        "postgres://ana:1?hunter22@host/db",
        "postgres://ana:hunter22@a,b/db",
        "postgres://ana:1/hunter22@host/db",
        "postgres://ana:x@1/hunter22?user=@host/db",
        "postgres://ana:1#hunter22@host/db",
        "postgres://ana:hunter22@host/db?sslcert=mine.pem",
        "postgres://ana:hunter22@host/db?sslmode=require&sslrootcert=system",
        "postgres://ana:hunter22@host/db?sslmode=hunter22",
        "postgres://ana:hunter22@host/%ff",
        "mysql://ana:hunter22@host/db",
        "user=ana password='hunter22",
        "user=ana hunter22",
        "user=ana port=hunter22",
        "hunter22",
        "/var/lib/hunter22.db",
        "goals.db",
        "sqlite:",
        "",
    ] {
        let error = DatabaseUrl::parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter22"), "{error}");
    }
    let url = DatabaseUrl::parse("postgres://ana:hunter22@host/db?application_name=hunter22").unwrap();
    assert_eq!(format!("{url} {url:?}"), "postgres://host:5432/db DatabaseUrl(postgres://host:5432/db)");
}

#[test]
fn tls_means_what_it_means_to_libpq() {
    for (parameters, mode) in [
        ("", "Prefer"),
        ("?sslmode=disable", "Disable"),
        ("?sslmode=allow", "Prefer"),
        ("?sslmode=prefer", "Prefer"),
        ("?sslmode=require", "Require"),
        ("?sslmode=require&sslrootcert=ca.pem", "VerifyCa"),
        ("?sslmode=verify-ca&sslrootcert=ca.pem", "VerifyCa"),
        ("?sslmode=verify-full", "VerifyFull"),
        ("?sslrootcert=system", "VerifyFull"),
        ("?host=/run/postgresql&sslmode=require", "Disable"),
    ] {
        let options = pg(&format!("postgres://ana@[2001:db8::1]/goals{parameters}"));
        assert_eq!(format!("{:?}", options.get_ssl_mode()), mode, "{parameters}");
        assert_eq!(options.get_host(), "2001:db8::1", "without the brackets");
    }
    let shown = DatabaseUrl::parse("postgres://ana@[2001:db8::1]/goals").unwrap().to_string();
    assert_eq!(shown, "postgres://[2001:db8::1]:5432/goals");
}

/// Marks the process that has the variables.
const CHILD: &str = "SLIPWAY_TEST_OF_VARIABLES";

#[test]
fn variables_of_libpq_fill_no_gap() {
    if std::env::var_os(CHILD).is_none() {
        let pgpass = std::env::temp_dir().join(format!("slipway-pgpass-{}", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        // A file that others can read would not be taken anyway.
        std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create(true).truncate(true), 0o600);
        std::io::Write::write_all(&mut options.open(&pgpass).unwrap(), b"*:*:*:*:from-outside\n").unwrap();
        // The file counts only where there is no variable.
        for password in [Some("PGPASSWORD"), None] {
            let taken = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSSLROOTCERT", "PGAPPNAME"];
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "database::url::tests::variables_of_libpq_fill_no_gap", "--nocapture"])
                .envs(taken.into_iter().chain(password).map(|variable| (variable, "from-outside")))
                .envs([(CHILD, "1"), ("PGPORT", "7777"), ("PGSSLMODE", "disable")])
                .env("PGPASSFILE", &pgpass)
                .output()
                .unwrap();
            let output = [child.stdout, child.stderr].concat();
            let output = String::from_utf8_lossy(&output);
            assert!(child.status.success() && output.contains("1 passed"), "{output}");
        }
        std::fs::remove_file(&pgpass).unwrap();
        return;
    }
    for text in ["postgres://ana@/", "postgres://ana@:5432", "postgres:///?user=ana", "postgres://ana@host", "user=ana"]
    {
        let options = pg(text);
        assert!(!format!("{options:?}").contains("from-outside"), "{text}: {options:?}");
        assert_eq!((options.get_port(), options.get_database()), (5432, Some("ana")), "{text}");
        let is_socket = options.get_host().starts_with('/');
        assert_eq!(matches!(options.get_ssl_mode(), PgSslMode::Prefer), !is_socket, "{text}");
    }
    let said = pg("postgres://ana:pw@host:6432/goals?sslmode=require&sslrootcert=ca.pem");
    assert_eq!((said.get_host(), said.get_port(), said.get_database()), ("host", 6432, Some("goals")));
}

#[test]
fn a_variable_that_cannot_be_kept_out_is_an_error_and_one_that_is_overruled_is_not() {
    let with = |variable: &'static str, text: &str| {
        DatabaseUrl::parse_where(text, &move |name| name == variable).map(|url| url.to_string())
    };
    let refused = with("PGUSER", "postgres://host/db").unwrap_err().to_string();
    assert_eq!(
        refused,
        "The database address cannot be used: it has no user, and PGUSER is set where Slipway runs, which counts \
         for no address. Write user into the address, or unset PGUSER."
    );
    for variable in ["PGSSLCERT", "PGSSLKEY", "PGOPTIONS"] {
        assert!(with(variable, "postgres://ana@host/db").unwrap_err().to_string().contains(variable));
    }
    assert!(with("PGUSER", "postgres://ana@host/db").is_ok());
    assert!(with("PGSSLKEY", "postgres://ana@host/db?sslcert=a.pem&sslkey=a.key").is_ok());
    assert!(with("PGOPTIONS", "sqlite:goals.db").is_ok());
}

/// As a person who does not know of percent form might write it, and as it should be written.
fn forms(password: &str) -> [String; 6] {
    let percent: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let quoted = password.replace('\\', "\\\\").replace('\'', "\\'");
    [
        format!("postgres://ana:{percent}@host/db"),
        format!("postgres://host/db?user=ana&password={percent}"),
        format!("host=host user=ana password='{quoted}' dbname=db"),
        format!("postgres://ana:{password}@host/db"),
        format!("postgres://host/db?password={password}&user=ana"),
        format!("user=ana password={password} host=host dbname=db"),
    ]
}

proptest::proptest! {
    #[test]
    fn no_password_is_ever_shown(
        before in "[ -~äß€🙂\t\n]{0,3}[ '\"\\\\/?#@:%&=;,.\\[\\]{}|0-9a-z]{0,6}",
        after in "[ '\"\\\\/?#@:%&=;,.\\[\\]{}|0-9a-z]{0,6}[ -~äß€🙂\t\n]{0,3}",
    ) {
        let password = format!("{before}hunter22{after}");
        for (form, text) in forms(&password).iter().enumerate() {
            let shown = match DatabaseUrl::parse(text) {
                Ok(url) => {
                    if form < 3 {
                        let Address::Postgres(options) = &url.address else { panic!("{text}") };
                        let kept = format!("password: Some({password:?})");
                        assert!(format!("{options:?}").contains(&kept), "{text}");
                    }
                    format!("{url} {url:?}")
                }
                Err(error) => {
                    assert!(form >= 3, "{text}: {error}");
                    format!("{error} {error:?}")
                }
            };
            assert!(!shown.contains("hunter22"), "{text} is shown as {shown}");
        }
    }
}
