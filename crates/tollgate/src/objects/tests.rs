//! The table as calls see it: durable, for the owner only, many at once, and gone.

use std::path::PathBuf;

use tollgate_store::{ObjectKind, Place, Store, StoredObject};

use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tollgate-owners-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn response(team: &str, id: &str) -> StoredObject {
    StoredObject {
        kind: ObjectKind::Response,
        id: id.to_owned(),
        team: team.to_owned(),
        made_by: "ci".to_owned(),
        provider: "openai".to_owned(),
        model: Some("gpt-5".to_owned()),
        created: now(),
        expires: None,
    }
}

#[tokio::test]
async fn what_was_entered_is_on_disk_and_its_owner_alone_finds_it() {
    let folder = Folder::new("entered");
    let store = Store::open(Place::of(&folder.0)).await.unwrap();
    let (objects, keeper) = Objects::start(store.clone());
    let entered = response("search", "resp_1");
    objects.enter(vec![entered.clone()]).await.unwrap();
    let other = Store::open(Place::of(&folder.0)).await.unwrap();
    let read = other.object("search", ObjectKind::Response, "resp_1", now()).await.unwrap();
    assert_eq!(read.as_ref(), Some(&entered), "another process sees it at once");
    for _ in 0..2 {
        let found = objects.find("search", ObjectKind::Response, "resp_1").await.unwrap();
        assert_eq!(found.as_deref(), Some(&entered));
        let theirs = objects.find("other", ObjectKind::Response, "resp_1").await.unwrap();
        let none = objects.find("other", ObjectKind::Response, "resp_2").await.unwrap();
        assert_eq!((theirs, none), (None, None));
    }
    assert_eq!(objects.list("search", ObjectKind::Response, (0, 9)).await.unwrap(), [entered]);
    assert!(!objects.forget("other", ObjectKind::Response, "resp_1").await.unwrap());
    assert!(objects.forget("search", ObjectKind::Response, "resp_1").await.unwrap());
    assert_eq!(objects.find("search", ObjectKind::Response, "resp_1").await.unwrap(), None);
    keeper.abort();
    store.close().await;
}

#[tokio::test]
async fn one_that_cannot_be_kept_does_not_spoil_those_beside_it() {
    let folder = Folder::new("spoiled");
    let store = Store::open(Place::of(&folder.0)).await.unwrap();
    let (objects, keeper) = Objects::start(store.clone());
    let long = "x".repeat(2000);
    let ids: Vec<String> =
        (0..100).map(|n| if n == 50 { long.clone() } else { format!("resp_{n}") }).collect();
    let entering = ids.iter().map(|id| objects.enter(vec![response("search", id)]));
    let entered = futures_all(entering).await;
    for (id, entered) in ids.iter().zip(entered) {
        assert_eq!(entered.is_ok(), *id != long, "{id}");
    }
    let found = objects.find("search", ObjectKind::Response, "resp_99").await.unwrap();
    assert!(found.is_some());
    keeper.abort();
    store.close().await;
}

#[tokio::test]
async fn a_table_that_is_gone_is_said_to_be() {
    let folder = Folder::new("gone");
    let store = Store::open(Place::of(&folder.0)).await.unwrap();
    let (objects, keeper) = Objects::start(store.clone());
    keeper.abort();
    let _ = keeper.await;
    let fault = objects.enter(vec![response("search", "resp_1")]).await.unwrap_err();
    assert_eq!((fault.kind, fault.code()), (FaultKind::Unavailable, "objects_unavailable"));
    store.close().await;
}

/// Polls all at once, so that they reach the table together.
async fn futures_all<T: Send>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(move |cx| {
        for (future, done) in &mut all {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *done = Some(value);
            }
        }
        if all.iter().all(|(_, done)| done.is_some()) {
            let values = all.iter_mut().filter_map(|(_, done)| done.take()).collect();
            return std::task::Poll::Ready(values);
        }
        std::task::Poll::Pending
    })
    .await
}
