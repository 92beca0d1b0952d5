//! Keys: made, found again by their digest, revoked.

use secrecy::ExposeSecret as _;
use tollgate_store::{StoreError, is_well_formed};

use crate::Bed;

pub(crate) async fn a_key_is_found_again_by_its_digest_only(bed: &Bed) {
    let store = bed.open().await;
    let (key, secret) = store.create_key("first", "default").await.unwrap();
    let secret = secret.expose_secret().to_owned();
    assert!(is_well_formed(&secret));
    store.close().await;

    let store = bed.open().await;
    let keys = store.keys().await.unwrap();
    assert_eq!(keys, std::slice::from_ref(&key));
    assert_eq!(store.digester().digest(&secret), key.digest);
    store.close().await;

    for entry in std::fs::read_dir(&bed.place.directory).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{} holds the key", path.display());
    }
}

pub(crate) async fn a_revoked_key_stays_known_and_frees_its_name(bed: &Bed) {
    let store = bed.open().await;
    store.create_key("ci", "search").await.unwrap();
    assert!(matches!(store.create_key("ci", "search").await, Err(StoreError::NameTaken(_))));
    store.revoke_key("ci").await.unwrap();
    assert!(matches!(store.revoke_key("ci").await, Err(StoreError::NoSuchKey(_))));
    store.create_key("ci", "search").await.unwrap();
    let keys = store.keys().await.unwrap();
    assert_eq!(keys.iter().map(|key| key.revoked.is_some()).collect::<Vec<_>>(), [true, false]);
}

pub(crate) async fn a_key_that_nobody_has_seen_can_be_taken_back(bed: &Bed) {
    let store = bed.open().await;
    let (key, _) = store.create_key("first", "default").await.unwrap();
    store.forget_key(&key.id).await.unwrap();
    assert!(store.keys().await.unwrap().is_empty());
}
