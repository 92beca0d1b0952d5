//! The store as its users see it: on disk, opened twice, and when something is missing.

use std::path::PathBuf;

use secrecy::ExposeSecret as _;
use tollgate_store::{Store, StoreError, is_well_formed};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tollgate-store-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_key_is_found_again_by_its_digest_only() {
    let folder = Folder::new("found");
    let store = Store::open(&folder.0, None).await.unwrap();
    let (key, secret) = store.create_key("first", "default").await.unwrap();
    let secret = secret.expose_secret().to_owned();
    assert!(is_well_formed(&secret));
    store.close().await;

    let store = Store::open(&folder.0, None).await.unwrap();
    let keys = store.keys().await.unwrap();
    assert_eq!(keys, std::slice::from_ref(&key));
    assert_eq!(store.digester().digest(&secret), key.digest);
    store.close().await;

    for entry in std::fs::read_dir(&folder.0).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{} holds the key", path.display());
    }
}

#[tokio::test]
async fn a_revoked_key_stays_known_and_frees_its_name() {
    let folder = Folder::new("revoked");
    let store = Store::open(&folder.0, None).await.unwrap();
    store.create_key("ci", "search").await.unwrap();
    assert!(matches!(store.create_key("ci", "search").await, Err(StoreError::NameTaken(_))));
    store.revoke_key("ci").await.unwrap();
    assert!(matches!(store.revoke_key("ci").await, Err(StoreError::NoSuchKey(_))));
    store.create_key("ci", "search").await.unwrap();
    let keys = store.keys().await.unwrap();
    assert_eq!(keys.iter().map(|key| key.revoked.is_some()).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn a_key_that_nobody_has_seen_can_be_taken_back() {
    let folder = Folder::new("unseen");
    let store = Store::open(&folder.0, None).await.unwrap();
    let (key, _) = store.create_key("first", "default").await.unwrap();
    store.forget_key(&key.id).await.unwrap();
    assert!(store.keys().await.unwrap().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_pepper() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("private");
    let store = Store::open(&folder.0, None).await.unwrap();
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.0.clone()), 0o700);
    assert_eq!(mode(folder.0.join("pepper")), 0o600);
    store.close().await;
    std::fs::set_permissions(folder.0.join("pepper"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    Store::open(&folder.0, None).await.unwrap();
    assert_eq!(mode(folder.0.join("pepper")), 0o600);
}

#[tokio::test]
async fn keys_without_their_pepper_are_an_error_and_not_a_new_pepper() {
    let folder = Folder::new("lost");
    let store = Store::open(&folder.0, None).await.unwrap();
    store.create_key("first", "default").await.unwrap();
    store.close().await;
    std::fs::remove_file(folder.0.join("pepper")).unwrap();
    let refused = Store::open(&folder.0, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::NoPepper { .. }), "{refused}");
    std::fs::write(folder.0.join("pepper"), b"short").unwrap();
    assert!(matches!(Store::open(&folder.0, None).await, Err(StoreError::File { .. })));
}

#[tokio::test]
async fn two_first_starts_at_once_agree_on_one_pepper() {
    let folder = Folder::new("race");
    let opened = tokio::join!(Store::open(&folder.0, None), Store::open(&folder.0, None));
    let (one, two) = (opened.0.unwrap(), opened.1.unwrap());
    assert_eq!(one.digester().digest("x"), two.digester().digest("x"));
}

#[tokio::test]
async fn the_database_may_rest_elsewhere() {
    let (folder, other) = (Folder::new("here"), Folder::new("there"));
    let database = other.0.join("deep/keys.db");
    let store = Store::open(&folder.0, Some(&database)).await.unwrap();
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
    assert!(Store::open(&folder.0, None).await.is_err());
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let folder = Folder::new("newer");
    let store = Store::open(&folder.0, None).await.unwrap();
    store.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.0.join("tollgate.db"));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let refused = Store::open(&folder.0, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer { .. }), "{refused}");
}
