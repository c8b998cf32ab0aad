//! Actions of the same repository, read beside the workflows that use them.

use super::{rig_of, sha};

fn commit(branch: &str, files: &[(&str, &str)]) -> String {
    let head = format!(
        "commit refs/heads/{branch}\ncommitter X <x@y> 1764000000 +0000\ndata 4\nMore\nfrom refs/heads/main^0\n"
    );
    let file = |(path, text): &(&str, &str)| format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
    head + &files.iter().map(file).collect::<String>() + "\n"
}

fn using(folders: &[&str]) -> String {
    let steps: String = folders.iter().map(|folder| format!("      - uses: ./{folder}\n")).collect();
    format!("on: push\njobs:\n  ship:\n    steps:\n{steps}")
}

fn action(folders: &[&str]) -> String {
    let steps: String = folders.iter().map(|folder| format!("    - uses: ./{folder}\n")).collect();
    format!("runs:\n  using: composite\n  steps:\n{steps}    - run: make deploy\n")
}

#[tokio::test]
async fn those_that_are_used_are_read_and_what_cannot_be_says_so() {
    let round = commit(
        "round",
        &[
            (".github/workflows/ship.yaml", &using(&["actions/a", "gone"])),
            ("actions/a/action.yaml", &action(&["actions/b"])),
            // They use each other: each is read once.
            ("actions/b/action.yml", &action(&["actions/a"])),
            ("actions/unused/action.yml", &action(&[])),
        ],
    );
    let deep: Vec<String> = (0..7).map(|n| format!("actions/{n}")).collect();
    let files: Vec<(String, String)> =
        (0..6).map(|n| (format!("{}/action.yml", deep[n]), action(&[&deep[n + 1]]))).collect();
    let start = using(&[&deep[0]]);
    let mut all: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    all.push((".github/workflows/ship.yaml", &start));
    let rig = rig_of(&(round + &commit("deep", &all))).await;
    let read = async |branch: &str| {
        let head = rig.github.head_of(&rig.repo, branch).await.unwrap().unwrap();
        let files = rig.github.workflows_at(&rig.repo, &head).await.unwrap();
        files.into_iter().map(|file| (file.path, file.text.err().unwrap_or_default())).collect::<Vec<_>>()
    };
    let file = |path: &str, why: &str| (path.to_owned(), why.to_owned());
    let expected = [
        file(".github/workflows/build.yaml", ""),
        file(".github/workflows/ship.yaml", ""),
        file("actions/a/action.yaml", ""),
        file("gone", "it has no action.yml"),
        file("actions/b/action.yml", ""),
    ];
    assert_eq!(read("round").await, expected);
    let last = read("deep").await.pop().unwrap();
    assert_eq!(last, file("actions/4", "actions use each other more than 4 deep"));
    assert_eq!(rig.github.workflows_at(&rig.repo, &sha(&rig.sample.head)).await.unwrap().len(), 1);
}
