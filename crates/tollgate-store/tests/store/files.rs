//! The files of a store: who may read them, and what happens when one is missing or not what it
//! should be.

use std::path::PathBuf;

use tollgate_store::{Address, Place, Store, StoreError};

use crate::Folder;

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_pepper() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("private");
    let store = Store::open(Place::of(&folder.0)).await.unwrap();
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.0.clone()), 0o700);
    assert_eq!(mode(folder.0.join("pepper")), 0o600);
    store.close().await;
    std::fs::set_permissions(folder.0.join("pepper"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    Store::open(Place::of(&folder.0)).await.unwrap();
    assert_eq!(mode(folder.0.join("pepper")), 0o600);
}

#[tokio::test]
async fn keys_without_their_pepper_are_an_error_and_not_a_new_pepper() {
    let folder = Folder::new("lost");
    let store = Store::open(Place::of(&folder.0)).await.unwrap();
    store.create_key("first", "default").await.unwrap();
    store.close().await;
    std::fs::remove_file(folder.0.join("pepper")).unwrap();
    let refused = Store::open(Place::of(&folder.0)).await.unwrap_err();
    assert!(matches!(refused, StoreError::NoPepper { .. }), "{refused}");
    std::fs::write(folder.0.join("pepper"), b"short").unwrap();
    assert!(matches!(Store::open(Place::of(&folder.0)).await, Err(StoreError::File { .. })));
}

#[tokio::test]
async fn two_first_starts_at_once_agree_on_one_pepper() {
    let folder = Folder::new("race");
    let opened = tokio::join!(Store::open(Place::of(&folder.0)), Store::open(Place::of(&folder.0)));
    let (one, two) = (opened.0.unwrap(), opened.1.unwrap());
    assert_eq!(one.digester().digest("x"), two.digester().digest("x"));
}

#[tokio::test]
async fn the_database_may_rest_elsewhere() {
    let (folder, other) = (Folder::new("here"), Folder::new("there"));
    let database = other.0.join("deep/keys.db");
    let address = Some(Address::Sqlite(database.clone()));
    let place = Place { database: address, ..Place::of(&folder.0) };
    let store = Store::open(place).await.unwrap();
    store.create_key("first", "default").await.unwrap();
    assert!(database.exists() && !folder.0.join("tollgate.db").exists());
}

#[tokio::test]
async fn what_is_no_database_is_an_error() {
    let folder = Folder::new("broken");
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(
        folder.0.join("tollgate.db"),
        "not a database at all, but long enough to look at".repeat(100),
    )
    .unwrap();
    assert!(Store::open(Place::of(&folder.0)).await.is_err());
}
