//! The steps that a database goes through, in order. Forward only: a step that has been released is
//! never edited.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

/// Version, what it is about, and the SQL.
const SQLITE: &[(i64, &str, &str)] = &[
    (1, "keys", include_str!("../migrations/sqlite/0001_keys.sql")),
    (2, "objects", include_str!("../migrations/sqlite/0002_objects.sql")),
];

pub(crate) fn sqlite() -> Migrator {
    let steps = SQLITE.iter().map(|(version, about, sql)| {
        let sql = AssertSqlSafe(*sql).into_sql_str();
        Migration::new(*version, Cow::Borrowed(*about), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(steps.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_step() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let steps: Vec<String> =
            SQLITE.iter().map(|(version, about, _)| format!("{version:04}_{about}.sql")).collect();
        assert_eq!(files, steps);
    }
}
