//! The steps that a database goes through, in order, one folder for each engine. Forward only: a
//! step that has been released is never edited.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

/// Version, what it is about, and the SQL.
type Step = (i64, &'static str, &'static str);

/// One step for both engines; the file has the same name in each folder.
macro_rules! steps {
    ($engine:literal: $($version:literal $about:literal)*) => {
        &[$((
            $version,
            $about,
            include_str!(concat!("../migrations/", $engine, "/000", $version, "_", $about, ".sql")),
        )),*]
    };
}

const SQLITE: &[Step] = steps!("sqlite": 1 "keys" 2 "objects" 3 "installation" 4 "ledger");
const POSTGRES: &[Step] = steps!("postgres": 1 "keys" 2 "objects" 3 "installation" 4 "ledger");

pub(crate) fn sqlite() -> Migrator {
    migrator(SQLITE)
}

pub(crate) fn postgres() -> Migrator {
    migrator(POSTGRES)
}

fn migrator(steps: &[Step]) -> Migrator {
    let steps = steps.iter().map(|(version, about, sql)| {
        let sql = AssertSqlSafe(*sql).into_sql_str();
        Migration::new(*version, Cow::Borrowed(*about), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(steps.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_folder_is_a_step_and_both_engines_take_the_same() {
        for (engine, steps) in [("sqlite", SQLITE), ("postgres", POSTGRES)] {
            let folder = format!("{}/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let steps: Vec<String> = steps
                .iter()
                .map(|(version, about, _)| format!("{version:04}_{about}.sql"))
                .collect();
            assert_eq!(files, steps);
        }
        let named = |steps: &[Step]| steps.iter().map(|step| (step.0, step.1)).collect::<Vec<_>>();
        assert_eq!(named(SQLITE), named(POSTGRES));
    }
}
