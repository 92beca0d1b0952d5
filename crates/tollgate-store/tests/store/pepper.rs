//! One database, several gateways: they agree on one pepper, and none works on with another.

use secrecy::ExposeSecret as _;
use tollgate_store::{Address, Pepper, Place, Store, StoreError};

use crate::{Bed, Folder};

/// A gateway elsewhere, on the same database.
fn elsewhere(bed: &Bed, folder: &Folder, pepper: Option<Pepper>) -> Place {
    let beside = Address::Sqlite(bed.place.directory.join("tollgate.db"));
    let database = Some(bed.place.database.clone().unwrap_or(beside));
    Place { directory: folder.0.clone(), database, pepper }
}

fn given(byte: &str) -> Option<Pepper> {
    Some(Pepper::from_hex(&byte.repeat(32)).unwrap())
}

pub(crate) async fn every_gateway_of_a_database_needs_the_same_pepper(bed: &Bed) {
    let first = bed.open().await;
    let (key, secret) = first.create_key("first", "default").await.unwrap();
    let other = Folder::new("every_gateway-elsewhere");
    let refused = Store::open(elsewhere(bed, &other, None)).await.unwrap_err();
    assert!(matches!(refused, StoreError::NoPepper { .. }), "{refused}");
    let refused = Store::open(elsewhere(bed, &other, given("07"))).await.unwrap_err();
    assert!(matches!(refused, StoreError::OtherPepper { .. }), "{refused}");

    let file = std::fs::read(bed.place.directory.join("pepper")).unwrap();
    let hex: String = file.iter().map(|byte| format!("{byte:02x}")).collect();
    let same = elsewhere(bed, &other, Pepper::from_hex(&hex));
    let second = Store::open(same).await.unwrap();
    assert_eq!(second.digester().digest(secret.expose_secret()), key.digest);
    assert!(!other.0.join("pepper").exists(), "what is given is not written");
    second.close().await;
    first.close().await;
}

pub(crate) async fn first_starts_at_once_agree_on_what_is_given(bed: &Bed) {
    let folders = [Folder::new("first_starts-a"), Folder::new("first_starts-b")];
    let _made = std::fs::create_dir_all(&bed.place.directory);
    let places = [0, 1].map(|which| elsewhere(bed, &folders[which], given("0a")));
    let [one, two] = places.map(Store::open);
    let (one, two) = tokio::join!(one, two);
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.digester().digest("x"), two.digester().digest("x"));
    one.close().await;
    two.close().await;
}

pub(crate) async fn a_newer_database_is_left_alone(bed: &Bed) {
    bed.open().await.close().await;
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        VALUES (9999, 'later', TRUE, ''::bytea, 0)";
    match &bed.url {
        Some(url) => {
            let pool = sqlx::PgPool::connect(url).await.unwrap();
            sqlx::query(later).execute(&pool).await.unwrap();
            pool.close().await;
        }
        None => {
            let file = bed.place.directory.join("tollgate.db");
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
            let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
            let later = sqlx::AssertSqlSafe(later.replace("''::bytea", "x''"));
            sqlx::query(later).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
    let refused = Store::open(bed.place.clone()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer { .. }), "{refused}");
}
