//! Notices that a configuration has changed, reads it again, and says what came of it. What is
//! served meanwhile is not its concern: a file that is refused changes nothing.
//!
//! It watches folders, not files, since a mounted secret or configuration is replaced by swapping a
//! link; and it looks for itself now and then, since some file systems tell nobody.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::{Config, Loaded, Refusals};

/// Writers write in pieces: the files are read when nothing has happened for this long.
const QUIET: Duration = Duration::from_millis(250);
/// A writer that never rests is read all the same.
const MOST_QUIETS: usize = 20;
/// How often the files are looked at unasked.
const POLL: Duration = Duration::from_secs(5);

/// Watches a configuration file and every file that it names.
#[derive(Debug)]
pub struct Watch {
    file: PathBuf,
    files: Vec<PathBuf>,
    seen: u64,
    /// What was last refused, so that it is said once.
    refused: Option<Refusals>,
    stirs: mpsc::Receiver<()>,
    /// `None` when this machine offers no notices: then only the slow look remains.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
}

impl Watch {
    /// Watches `file`, of which `loaded` was just made.
    #[must_use]
    pub fn new(file: &Path, loaded: &Loaded) -> Self {
        // One notice waiting is as good as many.
        let (stir, stirs) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading a file is an event too; it is not a change.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                let _ = stir.try_send(());
            }
        });
        let mut watch = Self {
            file: file.to_owned(),
            files: loaded.files.clone(),
            seen: fingerprint(&loaded.files),
            refused: None,
            stirs,
            watcher: watcher.ok(),
            watched: BTreeSet::new(),
        };
        watch.watch_folders();
        watch
    }

    /// Waits for a change, and reads what changed. May be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// When the file is refused now. The same refusal is not returned twice.
    pub async fn changed(&mut self) -> Result<Loaded, Refusals> {
        loop {
            self.stir().await;
            let changed = fingerprint_of(self.files.clone()).await != self.seen;
            if !changed && self.refused.is_none() {
                continue;
            }
            if changed {
                self.settle().await;
            }
            // After a refusal what was missing may have come, in a place that was never watched.
            let before = self.refused.clone();
            match self.reload().await {
                Err(refusals) if before.as_ref() == Some(&refusals) => {}
                outcome => return outcome,
            }
        }
    }

    /// Reads the file now, changed or not.
    ///
    /// # Errors
    /// When the file is refused.
    pub async fn reload(&mut self) -> Result<Loaded, Refusals> {
        let seen = fingerprint_of(self.files.clone()).await;
        let outcome = load(self.file.clone()).await;
        self.seen = seen;
        match &outcome {
            Ok(loaded) => {
                self.refused = None;
                if loaded.files != self.files {
                    self.files.clone_from(&loaded.files);
                    self.seen = fingerprint_of(self.files.clone()).await;
                    self.watch_folders();
                }
            }
            Err(refusals) => self.refused = Some(refusals.clone()),
        }
        outcome
    }

    /// Until a notice comes, or it is time to look unasked.
    async fn stir(&mut self) {
        if self.watcher.is_some() {
            // A closed channel would be a dead watcher: then the slow look remains.
            if let Ok(None) = timeout(POLL, self.stirs.recv()).await {
                self.watcher = None;
            }
        } else {
            sleep(POLL).await;
        }
    }

    /// Until nothing has happened for a while.
    async fn settle(&mut self) {
        for _ in 0..MOST_QUIETS {
            match timeout(QUIET, self.stirs.recv()).await {
                Ok(Some(())) => sleep(QUIET / 10).await,
                Ok(None) => return sleep(QUIET).await,
                Err(_) => return,
            }
        }
    }

    fn watch_folders(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        for file in &self.files {
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            let folder = parent.unwrap_or(Path::new(".")).to_owned();
            if !self.watched.contains(&folder)
                && watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok()
            {
                self.watched.insert(folder);
            }
        }
    }
}

async fn load(file: PathBuf) -> Result<Loaded, Refusals> {
    let unread = file.clone();
    aside(move || Config::load(&file)).await.unwrap_or_else(|| Err(Refusals::unread(unread)))
}

async fn fingerprint_of(files: Vec<PathBuf>) -> u64 {
    aside(move || fingerprint(&files)).await.unwrap_or_default()
}

/// What stands in the files, as one number. A file that cannot be read counts as such.
fn fingerprint(files: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let small =
            std::fs::metadata(file).is_ok_and(|about| about.is_file() && about.len() <= 8 << 20);
        let bytes = if small { std::fs::read(file).ok() } else { None };
        bytes.hash(&mut hasher);
    }
    hasher.finish()
}

/// Reads files where no stream waits for it. One at a time: each is awaited before the next.
async fn aside<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(read).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const GOOD: &str = "providers: { play: { kind: simulated } }\n";

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("tollgate-watch-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            std::fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn watch(file: &Path) -> Watch {
        Watch::new(file, &Config::load(file).unwrap())
    }

    async fn soon(watch: &mut Watch) -> Result<Loaded, Refusals> {
        timeout(Duration::from_secs(4), watch.changed())
            .await
            .expect("a change is noticed before the slow look")
    }

    #[tokio::test]
    async fn a_change_is_noticed_a_bad_one_is_refused_and_a_mended_one_is_taken() {
        let folder = Folder::new("change");
        let file = folder.write("tollgate.yaml", GOOD);
        let mut watch = watch(&file);
        folder.write("tollgate.yaml", &format!("{GOOD}log: {{ access: false }}\n"));
        let began = Instant::now();
        assert!(!soon(&mut watch).await.unwrap().config.log.access);
        assert!(began.elapsed() >= QUIET);
        folder.write("tollgate.yaml", &format!("{GOOD}log: {{ acess: false }}\n"));
        let refused = soon(&mut watch).await.unwrap_err();
        assert_eq!((refused.refusals[0].line, refused.refusals[0].path.as_str()), (2, "log.acess"));
        folder.write("tollgate.yaml", GOOD);
        assert!(soon(&mut watch).await.unwrap().config.log.access);
    }

    #[tokio::test]
    async fn other_files_and_mere_looks_are_no_change() {
        let folder = Folder::new("other");
        let file = folder.write("tollgate.yaml", GOOD);
        let mut watch = watch(&file);
        folder.write("other.txt", "x");
        folder.write("tollgate.yaml", GOOD);
        std::fs::read(&file).unwrap();
        assert!(timeout(Duration::from_secs(1), watch.changed()).await.is_err());
    }

    #[tokio::test]
    async fn a_secret_that_changes_is_a_change() {
        let folder = Folder::new("secret");
        folder.write("a.key", "not-a-real-key-1");
        let file = folder.write(
            "tollgate.yaml",
            "providers: { o: { kind: openai, api_key: \"${file:a.key}\" } }\n",
        );
        let mut watch = watch(&file);
        folder.write("a.key", "not-a-real-key-2");
        let loaded = soon(&mut watch).await.unwrap();
        let key = loaded.config.providers["o"].api_key.as_ref().unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(key), "not-a-real-key-2");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_swapped_link_is_a_change() {
        use std::os::unix::fs::symlink;
        let folder = Folder::new("link");
        for (version, text) in
            [("v1", GOOD.to_owned()), ("v2", format!("{GOOD}log: {{ access: false }}\n"))]
        {
            std::fs::create_dir_all(folder.0.join(version)).unwrap();
            folder.write(&format!("{version}/tollgate.yaml"), &text);
        }
        symlink("v1", folder.0.join("..data")).unwrap();
        let file = folder.0.join("tollgate.yaml");
        symlink("..data/tollgate.yaml", &file).unwrap();
        let mut watch = watch(&file);
        symlink("v2", folder.0.join("..next")).unwrap();
        std::fs::rename(folder.0.join("..next"), folder.0.join("..data")).unwrap();
        assert!(!soon(&mut watch).await.unwrap().config.log.access);
    }

    #[tokio::test]
    async fn a_file_that_goes_away_is_refused_once_and_taken_again_when_it_is_back() {
        let folder = Folder::new("gone");
        let file = folder.write("tollgate.yaml", GOOD);
        let mut watch = watch(&file);
        std::fs::remove_file(&file).unwrap();
        assert!(soon(&mut watch).await.is_err());
        assert!(timeout(Duration::from_secs(1), watch.changed()).await.is_err(), "it is said once");
        folder.write("tollgate.yaml", GOOD);
        assert!(soon(&mut watch).await.is_ok());
    }
}
