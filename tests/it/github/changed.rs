//! Which files differ between two commits.

use super::{rig, rig_of, sha};
use slipway_core::ids::CommitSha;
use slipway_core::paths::Changed;
use std::fmt::Write as _;

/// A commit on main that puts so many files there.
fn puts(count: usize) -> String {
    let committer = "committer Eve Adler <eve@acme.dev> 1764000000 +0000";
    let mut stream = format!("commit refs/heads/main\nmark :90\n{committer}\ndata 4\nMany\nfrom refs/heads/main^0\n");
    for n in 0..count {
        let _ = write!(stream, "M 100644 inline many/{n}.txt\ndata 3\n{n:03}\n");
    }
    stream.push('\n');
    stream
}

#[tokio::test]
async fn all_files_on_the_way_are_told_with_both_names_of_what_was_moved() {
    let rig = rig_of(
        "commit refs/heads/main\nmark :90\ncommitter Eve Adler <eve@acme.dev> 1764000000 +0000\ndata 4\nMove\n\
         from refs/heads/main^0\nR Dockerfile build/Dockerfile\n\n",
    )
    .await;
    let head = rig.github.head_of(&rig.repo, "main").await.unwrap().unwrap();
    let changed =
        async |base: &str, head: &CommitSha| rig.github.changed_between(&rig.repo, &sha(base), head).await.unwrap();
    let moved = changed(&rig.sample.head, &head).await;
    assert_eq!(moved, Changed::Files(vec!["build/Dockerfile".into(), "Dockerfile".into()]));
    let Changed::Files(all) = changed(&rig.sample.staging, &head).await else { panic!("they are known") };
    assert!(all.len() > 2 && all.iter().any(|file| file == "build/Dockerfile"), "{all:?}");
    assert_eq!(changed(head.as_str(), &head).await, Changed::Files(vec![]));
}

#[tokio::test]
async fn what_github_does_not_tell_is_not_known() {
    let rig = rig_of(&puts(299)).await;
    let head = rig.github.head_of(&rig.repo, "main").await.unwrap().unwrap();
    let before = sha(&rig.sample.head);
    let changed = rig.github.changed_between(&rig.repo, &before, &head).await.unwrap();
    assert!(matches!(changed, Changed::Files(files) if files.len() == 299));
    let rig = rig_of(&puts(301)).await;
    let head = rig.github.head_of(&rig.repo, "main").await.unwrap().unwrap();
    let changed = rig.github.changed_between(&rig.repo, &before, &head).await.unwrap();
    assert_eq!(changed, Changed::Unknown("300 files or more changed".into()));
}

#[tokio::test]
async fn what_is_not_on_the_way_is_not_known() {
    let rig = rig().await;
    let [head, feature, staging, lost] =
        [&rig.sample.head, &rig.sample.feature, &rig.sample.staging, &"7".repeat(40)].map(|text| sha(text));
    for (base, to) in [(&head, &staging), (&feature, &head), (&lost, &head)] {
        let changed = rig.github.changed_between(&rig.repo, base, to).await.unwrap();
        assert!(matches!(changed, Changed::Unknown(_)), "{base} {to}: {changed:?}");
    }
}
