//! The program under test, as a process of its own: one configured provider for each kind and
//! dialect that was recorded, all at the scripted upstream.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tollgate_testkit::Exchange;
use tollgate_testkit::judge::Known;
use tollgate_testkit::readers::Shape;

#[derive(Debug)]
pub(crate) struct Gate {
    child: Child,
    folder: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

/// A configured provider: the kind that stands for the recorded one, and what it speaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    kind: &'static str,
    shape: &'static str,
    /// Dialect of the recording: one shape may travel in more than one way.
    recorded: String,
}

impl Target {
    pub(crate) fn of(exchange: &Exchange) -> Option<Self> {
        let known = Known::of(exchange)?;
        let (kind, shape) = (known.row.kind, known.shape.as_str());
        Some(Self { kind, shape, recorded: exchange.dialect.clone() })
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape::of(self.shape).unwrap()
    }

    /// The name of the configured provider.
    fn name(&self) -> String {
        format!("{}-{}", self.kind, self.recorded)
    }

    /// What a caller asks for: the model's name is the recording's, behind what the host demands of
    /// the names of its models.
    pub(crate) fn model(&self, exchange: &Exchange) -> String {
        let demanded = match (self.kind, self.recorded.as_str()) {
            ("bedrock", "bedrock-invoke") => BEFORE[0],
            ("vertex", "gemini-generate") => BEFORE[1],
            ("vertex", "vertex-anthropic") => BEFORE[2],
            ("openai", "openai-completions") => BEFORE[3],
            _ => "",
        };
        format!("{}/{demanded}{}", self.name(), exchange.id)
    }

    /// What must be configured besides.
    fn settings(&self) -> &'static str {
        match self.kind {
            "bedrock" => "region: nowhere-1, ",
            "vertex" => "project: project, location: nowhere-1, ",
            _ => "",
        }
    }

    /// What that vendor's own SDK takes as its base URL, after the host.
    fn base(&self) -> &'static str {
        match (self.kind, self.shape) {
            ("azure-openai" | "bedrock" | "vertex", _) => "",
            (_, shape) if shape.starts_with("openai-") => "/v1",
            _ => "",
        }
    }
}

/// What may stand before a recording's id in the name of a model.
pub(crate) const BEFORE: [&str; 4] =
    ["us.anthropic.", "gemini-", "claude-", "gpt-3.5-turbo-instruct-"];

impl Gate {
    pub(crate) fn start(upstream: SocketAddr, targets: &BTreeSet<Target>) -> Self {
        let folder = std::env::temp_dir().join(format!("tollgate-replay-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let mut config =
            String::from("listen: { data: \"127.0.0.1:0\", admin: \"127.0.0.1:0\" }\nproviders:\n");
        for target in targets {
            let Target { kind, shape, .. } = target;
            let (name, settings, base) = (target.name(), target.settings(), target.base());
            writeln!(
                config,
                "  {name}: {{ kind: {kind}, dialect: {shape}, {settings}\
                 base_url: \"http://{upstream}{base}\", api_key: \"${{env:REPLAY_KEY}}\" }}"
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

/// The word after `begins` in what was said.
fn after<'a>(said: &'a str, begins: &str) -> Option<&'a str> {
    let line = said.lines().find(|line| line.starts_with(begins))?;
    line[begins.len()..].split_whitespace().next()
}
