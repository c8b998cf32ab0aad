use super::*;

fn paths(patterns: &[&str]) -> Paths {
    Paths::new(patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect(), Some("db/migrations")).unwrap()
}

#[test]
fn stars_mean_what_they_mean_in_a_workflow() {
    // The examples of GitHub's cheat sheet, as far as they are supported, and their opposites.
    for (pattern, matching, other) in [
        ("*", &["README.md", "server.rb"][..], &["docs/hello.md"][..]),
        ("**", &["all/the/files.md", "x"], &[]),
        ("*.js", &["app.js", "index.js"], &["js/app.js", "app.jsx"]),
        ("**.js", &["index.js", "js/index.js", "src/js/app.js"], &["index.ts"]),
        ("docs/*", &["docs/README.md", "docs/file.txt"], &["docs/a/b.md", "docs"]),
        ("docs/**", &["docs/README.md", "docs/mona/octocat.txt"], &["docs", "adocs/x", "x/docs/y"]),
        ("docs/**/*.md", &["docs/README.md", "docs/mona/hello-world.md", "docs/a/markdown/file.md"], &["docs/a.txt"]),
        ("**/docs/**", &["dir/docs/my-file.txt", "docs/hello.md"], &["dir/mydocs/x"]),
        ("**/README.md", &["README.md", "js/README.md"], &["js/OLD-README.md"]),
        ("**/*src/**", &["a/src/app.js", "my-src/code/js/app.js"], &["src"]),
        ("**/*-post.md", &["my-post.md", "path/their-post.md"], &["post.md"]),
        ("web", &["web"], &["web/x", "webx"]),
        ("a.b/(x)|$^/*", &["a.b/(x)|$^/y"], &["aXb/x/y"]),
    ] {
        let paths = paths(&[pattern]);
        for file in matching {
            assert!(paths.concern(file), "{pattern} {file}");
        }
        for file in other {
            assert!(!paths.concern(file), "{pattern} {file}");
        }
    }
}

#[test]
fn the_last_pattern_that_matches_decides_and_migrations_always_concern() {
    let some = paths(&["web/**", "!web/docs/**", "web/docs/api.md", "!db/**"]);
    for (file, concerns) in [
        ("web/app.ts", true),
        ("web/docs/intro.md", false),
        ("web/docs/api.md", true),
        ("api/main.rs", false),
        ("Web/app.ts", false),
        ("db/migrations/1_users.sql", true),
        ("db/migrations", false),
        ("db/migrations2/1.sql", false),
        ("db/seed.sql", false),
    ] {
        assert_eq!(some.concern(file), concerns, "{file}");
    }
    let none = vec![Pattern::parse("!web/**").unwrap()];
    assert_eq!(Paths::new(none, None), None, "that would be no file at all");
    assert_eq!(Paths::new(vec![], None), None);
}

#[test]
fn what_differs_decides_and_what_is_not_known_is_no_no() {
    let since = CommitSha::parse(&"4".repeat(40)).unwrap();
    let some = paths(&["web/**", "shared/**"]);
    let seen = |files: &[&str]| some.seen(&since, &Changed::Files(files.iter().map(ToString::to_string).collect()));
    assert_eq!(seen(&["api/a.rs", "web/b.ts"]), None, "one of them is enough");
    assert!(seen(&["api/a.rs"]).unwrap().is_untouched());
    assert!(seen(&[]).unwrap().is_untouched());
    let unknown = some.seen(&since, &Changed::Unknown("over 300 files changed".into())).unwrap();
    assert!(!unknown.is_untouched());
    assert_eq!((unknown.paths.as_str(), unknown.since), ("web/** or shared/**", since));
}

#[test]
fn many_patterns_are_named_in_few_words() {
    let words = |patterns: &[&str]| paths(patterns).words();
    assert_eq!(words(&["web/**"]), "web/**");
    assert_eq!(words(&["web/**", "shared/**"]), "web/** or shared/**");
    assert_eq!(words(&["a", "b", "c"]), "a, b or c");
    assert_eq!(words(&["a", "b", "c", "d", "e"]), "a, b, c or 2 more");
    assert_eq!(words(&["web/**", "!web/docs/**", "!**/*.md"]), "web/** but for web/docs/** and **/*.md");
}

#[test]
fn what_could_match_no_file_is_refused_with_what_to_write() {
    for (text, what, mend) in [
        ("", "is empty", "write \"web/**\""),
        ("!", "is empty", "write \"web/**\""),
        ("/web/**", "is no path from the root of the repository to a file", "write \"web/**\""),
        ("./web/**", "is no path from the root of the repository to a file", "write \"web/**\""),
        ("web/", "is no path from the root of the repository to a file", "write \"web/**\""),
        ("/", "is no path from the root of the repository to a file", "write \"**\""),
        ("!/web/", "is no path from the root of the repository to a file", "write \"web/**\""),
        ("web/../api/**", "is no path from the root of the repository to a file", "write \"web/**\""),
        ("web//x", "is no path from the root of the repository to a file", "write \"web/**\""),
        ("web/***", "has more than two stars in a row", "write ** for any way down"),
        ("web/\n", "has characters that no path has", "write \"web/**\""),
        (" web/**", "has characters that no path has", "write \"web/**\""),
    ] {
        let bad = Pattern::parse(text).unwrap_err();
        assert_eq!((bad.what, bad.mend.as_str()), (what, mend), "{text:?}");
    }
    for text in ["web/?.ts", "c++/**", "app/[slug]/**", "{web,api}/**", "web\\**"] {
        assert_eq!(Pattern::parse(text).unwrap_err().what, "has a character that is not supported here", "{text}");
    }
    assert!(Pattern::parse(&"x".repeat(PATTERN_LIMIT_CHARS)).is_ok());
    assert_eq!(Pattern::parse(&"x".repeat(PATTERN_LIMIT_CHARS + 1)).unwrap_err().what, "is too long");
    // As many stars as fit, against a path that they nearly match.
    let stars = Paths::new(vec![Pattern::parse(&"*a".repeat(PATTERN_LIMIT_CHARS / 2)).unwrap()], None).unwrap();
    assert!(!stars.concern(&"a".repeat(4_000).replace("aaaa", "aaab")));
}
