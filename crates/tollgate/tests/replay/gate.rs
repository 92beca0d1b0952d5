//! The program under test, as a process of its own: one configured provider for each kind and
//! dialect that was recorded, all at the scripted upstream.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tollgate_testkit::readers::Shape;

#[derive(Debug)]
pub(crate) struct Gate {
    child: Child,
    folder: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

/// The name of a configured provider.
pub(crate) fn name(kind: &str, dialect: Shape) -> String {
    format!("{kind}-{}", dialect.as_str().split('-').next().unwrap_or_default())
}

impl Gate {
    pub(crate) fn start(upstream: SocketAddr, kinds: &BTreeMap<&str, Shape>) -> Self {
        let folder = std::env::temp_dir().join(format!("tollgate-replay-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let mut config =
            String::from("listen: { data: \"127.0.0.1:0\", admin: \"127.0.0.1:0\" }\nproviders:\n");
        for (kind, dialect) in kinds {
            let (name, dialect, path) = (name(kind, *dialect), dialect.as_str(), base(*dialect));
            writeln!(
                config,
                "  {name}: {{ kind: {kind}, dialect: {dialect}, \
                 base_url: \"http://{upstream}{path}\", api_key: \"${{env:REPLAY_KEY}}\" }}"
            )
            .unwrap();
        }
        std::fs::write(folder.join("tollgate.yaml"), config).unwrap();
        let child = Self::run(&folder);
        let mut gate = Self { child, folder, address: upstream, key: String::new() };
        let said = gate.welcome();
        let data = after(&said, "Callers").unwrap_or_else(|| panic!("no address in {said}"));
        gate.address = data.trim_start_matches("http://").parse().unwrap();
        gate.key = after(&said, "Key ").unwrap_or_else(|| panic!("no key in {said}")).to_owned();
        gate
    }

    fn run(folder: &PathBuf) -> Child {
        let file = |name: &str| Stdio::from(std::fs::File::create(folder.join(name)).unwrap());
        Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["serve", "--config", "tollgate.yaml"])
            .current_dir(folder)
            .env_clear()
            .env("REPLAY_KEY", "sk-not-a-real-key")
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap()
    }

    /// What it says when it listens.
    #[expect(clippy::disallowed_methods, reason = "no runtime waits for this thread")]
    fn welcome(&mut self) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let said = std::fs::read_to_string(self.folder.join("out")).unwrap_or_default();
            if said.contains("A first call:") {
                return said;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{said}{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The end of its log.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("err")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What that vendor's own SDK takes as its base URL, after the host.
fn base(dialect: Shape) -> &'static str {
    match dialect {
        Shape::OpenaiChat => "/v1",
        Shape::AnthropicMessages | Shape::GeminiGenerate => "",
    }
}

/// The word after `begins` in what was said.
fn after<'a>(said: &'a str, begins: &str) -> Option<&'a str> {
    let line = said.lines().find(|line| line.starts_with(begins))?;
    line[begins.len()..].split_whitespace().next()
}
