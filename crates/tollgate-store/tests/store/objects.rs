//! Objects and their owners, as the program uses them.

use tollgate_store::{ObjectKind, StoreError, StoredObject};

use crate::Bed;

fn response(team: &str, id: &str, created: i64) -> StoredObject {
    StoredObject {
        kind: ObjectKind::Response,
        id: id.to_owned(),
        team: team.to_owned(),
        made_by: format!("{team}-ci"),
        provider: "openai".to_owned(),
        model: Some("gpt-5".to_owned()),
        created,
        expires: Some(created + 100),
    }
}

pub(crate) async fn an_object_is_found_by_its_owner_only_and_outlives_the_process(bed: &Bed) {
    let store = bed.open().await;
    let object = response("search", "resp_1", 1000);
    store.insert_objects(std::slice::from_ref(&object)).await.unwrap();
    store.close().await;

    let store = bed.open().await;
    let find =
        async |team: &str, kind, id: &str, now| store.object(team, kind, id, now).await.unwrap();
    assert_eq!(find("search", ObjectKind::Response, "resp_1", 1001).await, Some(object));
    assert_eq!(find("other", ObjectKind::Response, "resp_1", 1001).await, None);
    assert_eq!(find("search", ObjectKind::File, "resp_1", 1001).await, None);
    assert_eq!(find("search", ObjectKind::Response, "resp_2", 1001).await, None);
    assert_eq!(find("search", ObjectKind::Response, "resp_1", 1100).await, None, "it is over");
    assert_eq!(find("search", ObjectKind::Response, &"x".repeat(9000), 1).await, None);

    assert!(!store.delete_object("other", ObjectKind::Response, "resp_1").await.unwrap());
    assert!(store.delete_object("search", ObjectKind::Response, "resp_1").await.unwrap());
    assert_eq!(find("search", ObjectKind::Response, "resp_1", 1001).await, None);
    store.close().await;
}

pub(crate) async fn a_second_provider_does_not_take_an_id_over(bed: &Bed) {
    let store = bed.open().await;
    let first = response("search", "resp_1", 1000);
    let second = StoredObject { provider: "llama".into(), ..response("search", "resp_1", 1050) };
    let renewed = StoredObject { model: None, ..response("search", "resp_1", 1060) };
    store.insert_objects(std::slice::from_ref(&first)).await.unwrap();
    store.insert_objects(std::slice::from_ref(&second)).await.unwrap();
    let found = store.object("search", ObjectKind::Response, "resp_1", 1051).await.unwrap();
    assert_eq!(found, Some(first));
    store.insert_objects(std::slice::from_ref(&renewed)).await.unwrap();
    let found = store.object("search", ObjectKind::Response, "resp_1", 1061).await.unwrap();
    assert_eq!(found, Some(renewed));
    let later = StoredObject { provider: "llama".into(), ..response("search", "resp_1", 2000) };
    store.insert_objects(std::slice::from_ref(&later)).await.unwrap();
    let found = store.object("search", ObjectKind::Response, "resp_1", 2001).await.unwrap();
    assert_eq!(found, Some(later), "the first was over");
    store.close().await;
}

pub(crate) async fn lists_are_pages_and_sweeps_keep_the_newest(bed: &Bed) {
    let store = bed.open().await;
    let many: Vec<StoredObject> =
        (0..10).map(|n| response("search", &format!("resp_{n}"), 1000 + n)).collect();
    store.insert_objects(&many).await.unwrap();
    store.insert_objects(&[response("other", "resp_0", 1000)]).await.unwrap();
    let page = async |offset, limit| {
        let page = store.objects("search", ObjectKind::Response, 1050, (offset, limit)).await;
        page.unwrap().into_iter().map(|object| object.id).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 3).await, ["resp_9", "resp_8", "resp_7"]);
    assert_eq!(page(9, 3).await, ["resp_0"]);
    assert_eq!(store.sweep_objects(1050, 4).await.unwrap(), 6);
    assert_eq!(page(0, 100).await, ["resp_9", "resp_8", "resp_7", "resp_6"]);
    assert_eq!(store.sweep_objects(1108, 4).await.unwrap(), 4, "three of one, one of the other");
    assert_eq!(page(0, 100).await, ["resp_9"]);
    store.close().await;
}

pub(crate) async fn what_is_too_long_is_refused_whole(bed: &Bed) {
    let store = bed.open().await;
    let good = response("search", "resp_1", 1000);
    let long = response("search", &"x".repeat(600), 1000);
    let nul = response("search", "resp\0", 1000);
    for bad in [long, nul] {
        let refused = store.insert_objects(&[good.clone(), bad.clone()]).await;
        assert!(matches!(refused, Err(StoreError::ObjectOutOfBounds(ObjectKind::Response))));
        let found = store.object("search", ObjectKind::Response, &bad.id, 1001).await.unwrap();
        assert_eq!(found, None);
    }
    let found = store.object("search", ObjectKind::Response, "resp_1", 1001).await.unwrap();
    assert_eq!(found, None);
    store.close().await;
}

pub(crate) async fn of_many_who_turn_an_object_one_is_told_that_it_did(bed: &Bed) {
    let store = bed.open().await;
    let object = response("search", "resp_1", 1000);
    store.insert_objects(std::slice::from_ref(&object)).await.unwrap();
    let turn = |team: &'static str| {
        let store = store.clone();
        tokio::spawn(async move {
            let named = (team, ObjectKind::Response, "resp_1");
            store.turn_object(named, "gpt-5", "gpt-6").await.unwrap()
        })
    };
    assert!(!turn("other").await.unwrap(), "another team's");
    let all: Vec<_> = (0..8).map(|_| turn("search")).collect();
    let mut told = 0;
    for one in all {
        told += u32::from(one.await.unwrap());
    }
    assert_eq!(told, 1);
    let turned = store.object("search", ObjectKind::Response, "resp_1", 1001).await.unwrap();
    assert_eq!(turned.unwrap().model.as_deref(), Some("gpt-6"));
    store.close().await;
}
