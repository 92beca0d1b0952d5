//! Keys that were made at run time. A key is shown once, when it is made; afterwards only its
//! digest is known.

use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::digest::Digest;
use crate::mint;
use crate::store::{Store, StoreError};

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    pub id: String,
    /// Unique among the keys that are not revoked.
    pub name: String,
    pub team: String,
    pub digest: Digest,
    /// See [`Digest::fingerprint`].
    pub fingerprint: String,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub revoked: Option<i64>,
}

impl Store {
    /// Every key, also the revoked ones, in the order of their making.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, team, digest, fingerprint, created, revoked FROM keys ORDER BY created, rowid",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(stored_key).collect()
    }

    /// Makes a key. What is returned beside it is the key itself, which nobody can ask for again.
    ///
    /// # Errors
    /// When the name is taken, or the database does not answer.
    pub async fn create_key(
        &self,
        name: &str,
        team: &str,
    ) -> Result<(StoredKey, SecretString), StoreError> {
        let secret = mint::key()?;
        let digest = self.digester().digest(secret.expose_secret());
        let key = StoredKey {
            id: mint::id("key")?,
            name: name.to_owned(),
            team: team.to_owned(),
            fingerprint: digest.fingerprint(),
            digest,
            created: now(),
            revoked: None,
        };
        self.insert_key(&key).await?;
        Ok((key, secret))
    }

    /// Keeps a key.
    ///
    /// # Errors
    /// When the name is taken, or the database does not answer.
    pub async fn insert_key(&self, key: &StoredKey) -> Result<(), StoreError> {
        let inserted = sqlx::query(
            "INSERT INTO keys (id, name, team, digest, fingerprint, created, revoked) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&key.id)
        .bind(&key.name)
        .bind(&key.team)
        .bind(key.digest.as_bytes().as_slice())
        .bind(&key.fingerprint)
        .bind(key.created)
        .bind(key.revoked)
        .execute(&self.pool)
        .await;
        match inserted {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(StoreError::NameTaken(key.name.clone()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes back a key that nobody has seen, as if it had never been made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_key(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM keys WHERE id = ?").bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Ends a key.
    ///
    /// # Errors
    /// When no key of that name is in use, or the database does not answer.
    pub async fn revoke_key(&self, name: &str) -> Result<(), StoreError> {
        let revoked = sqlx::query("UPDATE keys SET revoked = ? WHERE name = ? AND revoked IS NULL")
            .bind(now())
            .bind(name)
            .execute(&self.pool)
            .await?;
        if revoked.rows_affected() == 0 {
            return Err(StoreError::NoSuchKey(name.to_owned()));
        }
        Ok(())
    }
}

fn stored_key(row: &SqliteRow) -> Result<StoredKey, StoreError> {
    let digest: &[u8] = row.try_get("digest")?;
    let digest = Digest::from_bytes(digest).ok_or_else(|| sqlx::Error::ColumnDecode {
        index: "digest".to_owned(),
        source: "it is not 32 bytes long".into(),
    })?;
    Ok(StoredKey {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        team: row.try_get("team")?,
        digest,
        fingerprint: row.try_get("fingerprint")?,
        created: row.try_get("created")?,
        revoked: row.try_get("revoked")?,
    })
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
