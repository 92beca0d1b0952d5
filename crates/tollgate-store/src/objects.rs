//! Objects that rest at a provider (a stored response, a conversation, a file, a batch): to each
//! id its owner and the target that holds it. A follow-up goes there, for its owner only.
//!
//! The team is part of a row's key, so that somebody else's id is as good as one that never was:
//! the same search finds nothing. What an object holds is never stored here.

use std::fmt;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::store::{Store, StoreError};

/// Longer than any id, key or model that a provider or a configuration names.
const LONGEST: usize = 512;

/// The SQL, all of it; PostgreSQL understands the same. SQLite counts parameters in the order in
/// which they first appear, so they appear in the order of their numbers.
mod sql {
    /// An id that another provider gave before stays with that provider: a second one that names
    /// the same id does not take its follow-ups over.
    pub(super) const INSERT: &str = "\
        INSERT INTO objects (team, kind, id, made_by, provider, model, created, expires) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (team, kind, id) DO UPDATE SET \
            made_by = excluded.made_by, provider = excluded.provider, model = excluded.model, \
            created = excluded.created, expires = excluded.expires \
        WHERE objects.provider = excluded.provider OR objects.expires <= excluded.created";
    pub(super) const FIND: &str = "\
        SELECT team, kind, id, made_by, provider, model, created, expires FROM objects \
        WHERE team = $1 AND kind = $2 AND id = $3 AND (expires IS NULL OR expires > $4)";
    pub(super) const LIST: &str = "\
        SELECT team, kind, id, made_by, provider, model, created, expires FROM objects \
        WHERE team = $1 AND kind = $2 AND (expires IS NULL OR expires > $3) \
        ORDER BY created DESC, id LIMIT $4 OFFSET $5";
    pub(super) const TURN: &str = "\
        UPDATE objects SET model = $1 WHERE team = $2 AND kind = $3 AND id = $4 AND model = $5";
    pub(super) const DELETE: &str = "DELETE FROM objects WHERE team = $1 AND kind = $2 AND id = $3";
    pub(super) const EXPIRE: &str = "DELETE FROM objects WHERE expires <= $1";
    pub(super) const CROWDED: &str =
        "SELECT team, kind FROM objects GROUP BY team, kind HAVING count(*) > $1";
    pub(super) const THIN: &str = "\
        DELETE FROM objects WHERE team = $1 AND kind = $2 AND id IN (\
            SELECT id FROM objects WHERE team = $1 AND kind = $2 \
            ORDER BY created DESC, id LIMIT $3 OFFSET $4)";
}

/// How many rows one sweep takes away at most per crowded owner.
const THINNED: i64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    Response,
    Conversation,
    File,
    Batch,
    /// One item of a response.
    Item,
    /// Of a kind that only its provider knows; its id carries its collection.
    Other,
}

impl ObjectKind {
    pub const ALL: [Self; 6] =
        [Self::Response, Self::Conversation, Self::File, Self::Batch, Self::Item, Self::Other];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Conversation => "conversation",
            Self::File => "file",
            Self::Batch => "batch",
            Self::Item => "item",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An object that rests at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    pub kind: ObjectKind,
    /// As its provider named it.
    pub id: String,
    /// Who owns it.
    pub team: String,
    /// Name of the key that made it.
    pub made_by: String,
    /// The provider that holds it, as the configuration calls it.
    pub provider: String,
    /// The model's name there, where the object has one.
    pub model: Option<String>,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds; from then on nobody finds it.
    pub expires: Option<i64>,
}

impl StoredObject {
    /// Whether its texts have lengths that the table takes.
    fn is_bounded(&self) -> bool {
        let fits = |text: &String| (1..=LONGEST).contains(&text.len());
        [&self.id, &self.team, &self.made_by, &self.provider].into_iter().all(fits)
            && self.model.as_ref().is_none_or(fits)
    }
}

impl Store {
    /// Keeps objects, all or none. An id that its owner has from the same provider is renewed.
    /// They are on disk when this returns.
    ///
    /// # Errors
    /// When a text is empty or too long, or the database does not answer.
    pub async fn insert_objects(&self, objects: &[StoredObject]) -> Result<(), StoreError> {
        if let Some(object) = objects.iter().find(|object| !object.is_bounded()) {
            return Err(StoreError::ObjectOutOfBounds(object.kind));
        }
        let mut transaction = self.pool.begin().await?;
        for object in objects {
            sqlx::query(sql::INSERT)
                .bind(&object.team)
                .bind(object.kind.as_str())
                .bind(&object.id)
                .bind(&object.made_by)
                .bind(&object.provider)
                .bind(&object.model)
                .bind(object.created)
                .bind(object.expires)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The team's object of that id; `None` for an id that is not there, is another team's, or is
    /// over at `now`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn object(
        &self,
        team: &str,
        kind: ObjectKind,
        id: &str,
        now: i64,
    ) -> Result<Option<StoredObject>, StoreError> {
        if id.len() > LONGEST {
            return Ok(None);
        }
        let row = sqlx::query(sql::FIND)
            .bind(team)
            .bind(kind.as_str())
            .bind(id)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(|row| stored_object(row, kind)).transpose()
    }

    /// A page of the team's objects, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn objects(
        &self,
        team: &str,
        kind: ObjectKind,
        now: i64,
        (offset, limit): (u32, u32),
    ) -> Result<Vec<StoredObject>, StoreError> {
        let rows = sqlx::query(sql::LIST)
            .bind(team)
            .bind(kind.as_str())
            .bind(now)
            .bind(i64::from(limit))
            .bind(i64::from(offset))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| stored_object(row, kind)).collect()
    }

    /// Writes `to` where the object's model is `from`, in one step: of many who try at once, one
    /// is told that it did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn turn_object(
        &self,
        (team, kind, id): (&str, ObjectKind, &str),
        from: &str,
        to: &str,
    ) -> Result<bool, StoreError> {
        let turned = sqlx::query(sql::TURN)
            .bind(to)
            .bind(team)
            .bind(kind.as_str())
            .bind(id)
            .bind(from)
            .execute(&self.pool)
            .await?;
        Ok(turned.rows_affected() == 1)
    }

    /// Forgets an object. Whether there was one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_object(
        &self,
        team: &str,
        kind: ObjectKind,
        id: &str,
    ) -> Result<bool, StoreError> {
        let deleted = sqlx::query(sql::DELETE)
            .bind(team)
            .bind(kind.as_str())
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// Forgets what is over at `now`, and of every team and kind the oldest beyond `most`. How
    /// many were forgotten.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sweep_objects(&self, now: i64, most: u32) -> Result<u64, StoreError> {
        let over = sqlx::query(sql::EXPIRE).bind(now).execute(&self.pool).await?;
        let mut forgotten = over.rows_affected();
        let crowded = sqlx::query(sql::CROWDED).bind(i64::from(most)).fetch_all(&self.pool).await?;
        for row in &crowded {
            let (team, kind): (String, String) = (row.try_get("team")?, row.try_get("kind")?);
            let thinned = sqlx::query(sql::THIN)
                .bind(team)
                .bind(kind)
                .bind(THINNED)
                .bind(i64::from(most))
                .execute(&self.pool)
                .await?;
            forgotten += thinned.rows_affected();
        }
        Ok(forgotten)
    }
}

fn stored_object(row: &SqliteRow, kind: ObjectKind) -> Result<StoredObject, StoreError> {
    Ok(StoredObject {
        kind,
        id: row.try_get("id")?,
        team: row.try_get("team")?,
        made_by: row.try_get("made_by")?,
        provider: row.try_get("provider")?,
        model: row.try_get("model")?,
        created: row.try_get("created")?,
        expires: row.try_get("expires")?,
    })
}
