//! The store as its users see it. What does not speak of files holds on both engines, and is tested
//! on both: one list below, read twice.
#![expect(clippy::unwrap_used, reason = "a test that breaks should say so at once")]

mod files;
mod keys;
mod ledger;
mod objects;
mod pepper;

use std::path::PathBuf;

use tollgate_store::{Address, Place, Server, Store};
use tollgate_testkit::Postgres;

/// A folder of its own, gone when it is dropped.
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

/// Where one test has its store.
struct Bed {
    place: Place,
    /// The database, where it is one of a server.
    url: Option<String>,
    _folder: Folder,
}

impl Bed {
    /// On SQLite where there is no server.
    fn new(name: &str, server: Option<&Postgres>) -> Self {
        let folder = Folder::new(name);
        let url = server.map(|server| server.database(name).unwrap());
        let database = url.as_deref().map(|url| Address::Postgres(Server::parse(url).unwrap()));
        Self { place: Place { database, ..Place::of(&folder.0) }, url, _folder: folder }
    }

    async fn open(&self) -> Store {
        Store::open(self.place.clone()).await.unwrap()
    }
}

macro_rules! on_both_engines {
    ($($about:ident { $($test:ident)* })*) => {
        mod sqlite {
            $(mod $about {
                $(#[tokio::test]
                async fn $test() {
                    crate::$about::$test(&crate::Bed::new(stringify!($test), None)).await;
                })*
            })*
        }

        #[tokio::test]
        async fn all_of_it_holds_on_postgresql() {
            let Some(server) = Postgres::start().unwrap() else { return };
            $($(
                eprintln!("{}: {}", stringify!($about), stringify!($test));
                $about::$test(&Bed::new(stringify!($test), Some(&server))).await;
            )*)*
        }
    };
}

on_both_engines! {
    keys {
        a_key_is_found_again_by_its_digest_only
        a_revoked_key_stays_known_and_frees_its_name
        a_key_that_nobody_has_seen_can_be_taken_back
    }
    ledger {
        a_call_is_booked_once_however_often_it_is_told
        what_an_engine_will_never_take_is_told_apart
        gateways_that_book_at_once_lose_nothing_and_count_nothing_twice
        sums_are_told_apart_by_what_is_asked_for
        calls_are_pages_and_old_ones_go_while_their_sums_stay
    }
    objects {
        an_object_is_found_by_its_owner_only_and_outlives_the_process
        a_second_provider_does_not_take_an_id_over
        lists_are_pages_and_sweeps_keep_the_newest
        of_many_who_turn_an_object_one_is_told_that_it_did
        what_is_too_long_is_refused_whole
    }
    pepper {
        every_gateway_of_a_database_needs_the_same_pepper
        first_starts_at_once_agree_on_what_is_given
        a_newer_database_is_left_alone
    }
}
