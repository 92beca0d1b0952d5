//! A gateway of one's own: the program with a configuration in a temporary folder, simulated
//! providers on a port of this process, and a caller that speaks HTTP by hand.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const KEY: &str = "tg-test-key-not-a-secret";

/// The three dialects, with a provider for each: its name in the configuration, and where its
/// callers call.
pub(crate) const DIALECTS: [Dialect; 3] = [
    Dialect { name: "openai-chat", provider: "chat" },
    Dialect { name: "anthropic-messages", provider: "messages" },
    Dialect { name: "gemini-generate", provider: "generate" },
];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    pub(crate) name: &'static str,
    pub(crate) provider: &'static str,
}

impl Dialect {
    /// Path and body of a plain call.
    pub(crate) fn call(&self, model: &str, stream: bool) -> (String, String) {
        match self.name {
            "openai-chat" => (
                "/v1/chat/completions".into(),
                format!(
                    r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"Say a few words."}}]}}"#
                ),
            ),
            "anthropic-messages" => (
                "/v1/messages".into(),
                format!(
                    r#"{{"model":"{model}","stream":{stream},"max_tokens":100,"messages":[{{"role":"user","content":"Say a few words."}}]}}"#
                ),
            ),
            _ => {
                let action =
                    if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
                (
                    format!("/v1beta/models/{model}:{action}"),
                    r#"{"contents":[{"role":"user","parts":[{"text":"Say a few words."}]}]}"#
                        .into(),
                )
            }
        }
    }

    /// Whether a body is an error object of this dialect.
    pub(crate) fn is_error(&self, body: &Value) -> bool {
        match self.name {
            "openai-chat" => {
                body["error"]["message"].is_string() && body["error"]["type"].is_string()
            }
            "anthropic-messages" => {
                body["type"] == "error"
                    && body["error"]["type"].is_string()
                    && body["error"]["message"].is_string()
            }
            _ => {
                body["error"]["code"].is_u64()
                    && body["error"]["status"].is_string()
                    && body["error"]["message"].is_string()
            }
        }
    }

    /// Whether a stream ends as a whole one does.
    pub(crate) fn ends_cleanly(&self, stream: &str) -> bool {
        match self.name {
            "openai-chat" => stream.contains("[DONE]"),
            "anthropic-messages" => stream.contains("message_stop"),
            _ => stream.contains("finishReason"),
        }
    }
}

/// The gateway under test. Dropped, it is ended.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) upstream: SocketAddr,
    pub(crate) folder: PathBuf,
    environment: Vec<(String, String)>,
    child: Child,
    // Its runtime serves the simulated providers.
    _runtime: tokio::runtime::Runtime,
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// With little patience for its providers.
    pub(crate) fn impatient(more: &str) -> Self {
        Self::adapted(more, |text| text.replace(" 30s", " 1s").replace("total: 60s", "total: 5s"))
    }

    /// With further lines of configuration.
    pub(crate) fn with(more: &str) -> Self {
        Self::adapted(more, |text| text)
    }

    /// With a configuration that was changed before the start.
    pub(crate) fn adapted(more: &str, adapt: impl FnOnce(String) -> String) -> Self {
        Self::launched(more, adapt, "info")
    }

    /// With a log of everything.
    pub(crate) fn loud(more: &str) -> Self {
        Self::launched(more, |text| text, "trace")
    }

    /// With further variables in its environment.
    pub(crate) fn surrounded(
        environment: &[(&str, String)],
        adapt: impl FnOnce(String) -> String,
    ) -> Self {
        let log = ("RUST_LOG", "info".to_owned());
        Self::started("", adapt, &[&[log][..], environment].concat())
    }

    fn launched(more: &str, adapt: impl FnOnce(String) -> String, log: &str) -> Self {
        Self::started(more, adapt, &[("RUST_LOG", log.to_owned())])
    }

    fn started(
        more: &str,
        adapt: impl FnOnce(String) -> String,
        environment: &[(&str, String)],
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let upstream = listener.local_addr().unwrap();
        let simulator = tollgate_simulate::Simulator::new();
        runtime.spawn(tollgate::simulate::serve(listener, simulator, std::future::pending()));
        let folder = folder();
        let (address, admin) = (free_address(), free_address());
        let file = folder.join("tollgate.yaml");
        std::fs::write(&file, adapt(configuration(address, admin, upstream, more))).unwrap();
        let child = program(&folder)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .arg("serve")
            .args(at(&folder))
            .spawn()
            .unwrap();
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let environment = environment.collect();
        let site = Self { address, admin, upstream, folder, environment, child, _runtime: runtime };
        site.wait_until_ready();
        site
    }

    /// Kills the program as `kill -9` does, and starts it again where it was.
    pub(crate) fn kill_and_start_again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut again = program(&self.folder);
        let again = again.envs(self.environment.clone()).arg("serve").args(at(&self.folder));
        self.child = again.spawn().unwrap();
        self.wait_until_ready();
    }

    /// What a command of the program answers in JSON about this gateway's state.
    pub(crate) fn told(&self, arguments: &[&str]) -> Value {
        let told = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .current_dir(&self.folder)
            .env_clear()
            .env("TEST_KEY", KEY)
            .env("PROVIDER_KEY", PROVIDER_KEY)
            .envs(self.environment.clone())
            .args(arguments)
            .arg("--json")
            .args(at(&self.folder))
            .output()
            .unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        serde_json::from_slice(&told.stdout).unwrap()
    }

    fn wait_until_ready(&self) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if TcpStream::connect(self.admin).is_ok()
                && get(self.admin, "/readyz").is_some_and(|reply| reply.status == 200)
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the gateway is not ready:\n{}", self.log());
    }

    /// What the program wrote to its log and its access log.
    pub(crate) fn log(&self) -> String {
        let read = |name| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        read("out") + &read("err")
    }

    /// Waits for a text in the log: its lines are written together, a little later.
    pub(crate) fn until_logged(&self, text: &str) {
        let begun = Instant::now();
        while !self.log().contains(text) {
            assert!(begun.elapsed() < Duration::from_secs(5), "no {text} in {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The program's memory of the moment.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most memory that the program ever had.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, which: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(which)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Sends a signal to the program, as `kill` names it.
    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the program's end; its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Calls in a dialect with the test's key.
    pub(crate) fn call(&self, dialect: Dialect, model: &str, stream: bool) -> Reply {
        let (path, body) = dialect.call(model, stream);
        let version = if dialect.name == "anthropic-messages" {
            "anthropic-version: 2023-06-01\r\n"
        } else {
            ""
        };
        self.post(&path, &format!("authorization: Bearer {KEY}\r\n{version}"), &body)
    }

    /// Posts JSON with the given header lines (each ended by CRLF).
    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Reply {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
            body.len()
        );
        exchange(self.address, &[head.as_bytes(), body.as_bytes()].concat()).expect("an answer")
    }

    /// As [`post`](Self::post); the answer's head, and its body as bytes.
    pub(crate) fn post_raw(&self, path: &str, headers: &str, body: &str) -> (String, Vec<u8>) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        (String::from_utf8_lossy(&bytes[..at]).into_owned(), unchunked(&bytes[at + 4..]))
    }

    /// What one series of the metrics says; 0 where there is none.
    pub(crate) fn metric(&self, series: &str) -> u64 {
        self.metrics(&get(self.admin, "/metrics").unwrap().body, series)
    }

    fn metrics(&self, text: &str, series: &str) -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0, |count| count.parse().unwrap())
    }

    /// What the simulated providers received, oldest first.
    pub(crate) fn received(&self) -> Vec<Value> {
        let reply = get(self.upstream, "/_simulate/requests").unwrap();
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        let list = body.get("requests").or_else(|| body.get("calls")).unwrap_or(&body);
        list.as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let alive = matches!(self.child.try_wait(), Ok(None));
        let metrics = get(self.admin, "/metrics").filter(|_| alive && !std::thread::panicking());
        if let Some(metrics) = metrics {
            let [leases, calls] = ["tollgate_leases", "tollgate_in_flight"]
                .map(|series| self.metrics(&metrics.body, series));
            assert!(leases <= calls, "{leases} leases are held by {calls} calls");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Where the state of a gateway in `folder` is.
fn at(folder: &std::path::Path) -> [std::ffi::OsString; 4] {
    let (file, data) = (folder.join("tollgate.yaml"), folder.join("data"));
    ["--config".into(), file.into(), "--data-dir".into(), data.into()]
}

/// The program, in `folder`, with its output in the files `out` and `err`.
pub(crate) fn program(folder: &std::path::Path) -> Command {
    let file = |name: &str| Stdio::from(std::fs::File::create(folder.join(name)).unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command
        .current_dir(folder)
        .env_clear()
        .env("TEST_KEY", KEY)
        .env("PROVIDER_KEY", PROVIDER_KEY)
        .stdout(file("out"))
        .stderr(file("err"));
    command
}

pub(crate) const PROVIDER_KEY: &str = "sk-provider-key-not-a-secret";

fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("tollgate-program-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn configuration(
    address: SocketAddr,
    admin: SocketAddr,
    upstream: SocketAddr,
    more: &str,
) -> String {
    let mut text = format!("listen: {{ data: \"{address}\", admin: \"{admin}\" }}\nproviders:\n");
    for dialect in DIALECTS {
        text += &format!(
            "  {}:\n    kind: simulated\n    base_url: \"http://{upstream}/v1\"\n    api_key: \"${{env:PROVIDER_KEY}}\"\n    dialect: {}\n    timeouts: {{ connect: 5s, first_token: 30s, between_tokens: 30s, total: 60s }}\n",
            dialect.provider, dialect.name
        );
    }
    text += "teams: { tests: {} }\nkeys: { tests: { team: tests, secret: \"${env:TEST_KEY}\" } }\n";
    text + more
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("no JSON ({e}): {}", self.body))
    }
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Option<Reply> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n");
    exchange(address, request.as_bytes())
}

/// Sends bytes and reads all that comes back.
pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A server that refuses early may close before it has read everything.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
        assert!(bytes.len() < 256 << 20, "an endless answer");
    }
    parsed(&bytes)
}

fn parsed(bytes: &[u8]) -> Option<Reply> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let rest = &bytes[at + 4..];
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(rest) } else { rest.to_vec() };
    Some(Reply { status, head, body: String::from_utf8_lossy(&body).into_owned() })
}

/// What came of a chunked body, whole or not.
fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok()).unwrap_or(0);
        let Some(chunk) = bytes.get(end + 2..end + 2 + size) else { break };
        body.extend_from_slice(chunk);
        let Some(rest) = bytes.get(end + 4 + size..) else { break };
        bytes = rest;
    }
    body
}
