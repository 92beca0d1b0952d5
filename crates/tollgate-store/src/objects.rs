//! Objects that rest at a provider (a stored response, a conversation, a file, a batch): to each
//! id its owner and the target that holds it. A follow-up goes there, for its owner only.
//!
//! The team is part of a row's key, so that somebody else's id is as good as one that never was:
//! the same search finds nothing. What an object holds is never stored here.

use std::fmt;

use crate::database::Row;
use crate::store::{Store, StoreError};

/// Longer than any id, key or model that a provider or a configuration names.
const LONGEST: usize = 512;

/// The SQL, all of it.
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
        let fits = |text: &String| (1..=LONGEST).contains(&text.len()) && !text.contains('\0');
        [&self.id, &self.team, &self.made_by, &self.provider].into_iter().all(fits)
            && self.model.as_ref().is_none_or(fits)
    }
}

impl Store {
    /// Keeps objects, all or none. An id that its owner has from the same provider is renewed.
    /// They are on disk when this returns.
    ///
    /// # Errors
    /// When a text is empty, too long or holds a NUL, or the database does not answer.
    pub async fn insert_objects(&self, objects: &[StoredObject]) -> Result<(), StoreError> {
        if let Some(object) = objects.iter().find(|object| !object.is_bounded()) {
            return Err(StoreError::ObjectOutOfBounds(object.kind));
        }
        let mut transaction = self.database.begin().await?;
        for object in objects {
            let values = [
                (&object.team).into(),
                object.kind.as_str().into(),
                (&object.id).into(),
                (&object.made_by).into(),
                (&object.provider).into(),
                (&object.model).into(),
                object.created.into(),
                object.expires.into(),
            ];
            transaction.execute(sql::INSERT, &values).await?;
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
        if id.len() > LONGEST || id.contains('\0') {
            return Ok(None);
        }
        let values = [team.into(), kind.as_str().into(), id.into(), now.into()];
        let row = self.database.row(sql::FIND, &values).await?;
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
        let page = [i64::from(limit).into(), i64::from(offset).into()];
        let values = [team.into(), kind.as_str().into(), now.into(), page[0], page[1]];
        let rows = self.database.rows(sql::LIST, &values).await?;
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
        let values = [to.into(), team.into(), kind.as_str().into(), id.into(), from.into()];
        Ok(self.database.execute(sql::TURN, &values).await? == 1)
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
        if id.contains('\0') {
            return Ok(false);
        }
        let values = [team.into(), kind.as_str().into(), id.into()];
        Ok(self.database.execute(sql::DELETE, &values).await? > 0)
    }

    /// Forgets what is over at `now`, and of every team and kind the oldest beyond `most`. How
    /// many were forgotten.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sweep_objects(&self, now: i64, most: u32) -> Result<u64, StoreError> {
        let most = i64::from(most).into();
        let mut forgotten = self.database.execute(sql::EXPIRE, &[now.into()]).await?;
        for row in &self.database.rows(sql::CROWDED, &[most]).await? {
            let (team, kind): (String, String) = (row.get("team")?, row.get("kind")?);
            let values = [(&team).into(), (&kind).into(), THINNED.into(), most];
            forgotten += self.database.execute(sql::THIN, &values).await?;
        }
        Ok(forgotten)
    }
}

fn stored_object(row: &Row, kind: ObjectKind) -> Result<StoredObject, StoreError> {
    Ok(StoredObject {
        kind,
        id: row.get("id")?,
        team: row.get("team")?,
        made_by: row.get("made_by")?,
        provider: row.get("provider")?,
        model: row.get("model")?,
        created: row.get("created")?,
        expires: row.get("expires")?,
    })
}
