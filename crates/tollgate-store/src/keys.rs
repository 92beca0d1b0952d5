//! Keys that were made at run time. A key is shown once, when it is made; afterwards only its
//! digest is known.

use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret as _, SecretString};

use crate::database::Row;
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
        let sql = "SELECT id, name, team, digest, fingerprint, created, revoked FROM keys \
            ORDER BY created, rowid";
        let rows = self.database.rows(sql, &[]).await?;
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
        let sql = "INSERT INTO keys (id, name, team, digest, fingerprint, created, revoked) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = [
            (&key.id).into(),
            (&key.name).into(),
            (&key.team).into(),
            key.digest.as_bytes().as_slice().into(),
            (&key.fingerprint).into(),
            key.created.into(),
            key.revoked.into(),
        ];
        let inserted = self.database.execute(sql, &values).await;
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
        self.database.execute("DELETE FROM keys WHERE id = $1", &[id.into()]).await?;
        Ok(())
    }

    /// Ends a key.
    ///
    /// # Errors
    /// When no key of that name is in use, or the database does not answer.
    pub async fn revoke_key(&self, name: &str) -> Result<(), StoreError> {
        let sql = "UPDATE keys SET revoked = $1 WHERE name = $2 AND revoked IS NULL";
        if self.database.execute(sql, &[now().into(), name.into()]).await? == 0 {
            return Err(StoreError::NoSuchKey(name.to_owned()));
        }
        Ok(())
    }
}

fn stored_key(row: &Row) -> Result<StoredKey, StoreError> {
    let digest: Vec<u8> = row.get("digest")?;
    let digest = Digest::from_bytes(&digest).ok_or_else(|| sqlx::Error::ColumnDecode {
        index: "digest".to_owned(),
        source: "it is not 32 bytes long".into(),
    })?;
    Ok(StoredKey {
        id: row.get("id")?,
        name: row.get("name")?,
        team: row.get("team")?,
        digest,
        fingerprint: row.get("fingerprint")?,
        created: row.get("created")?,
        revoked: row.get("revoked")?,
    })
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
