//! The bench of the attack tests: listeners that write down who came, providers that answer what
//! they are told to, and a sweep that looks for secrets wherever the gateway wrote something.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::super::site::{Dialect, KEY, PROVIDER_KEY, Reply, Site, exchange, get};

/// The key of the second provider, where a test has one.
pub(crate) const SECOND_KEY: &str = "sk-second-provider-not-a-secret";

/// A listener of the test's own: it writes down what it receives, and answers what it is told to.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    /// Nobody should ever come here.
    pub(crate) fn nobody() -> Self {
        Self::answering(|_| vec![b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()])
    }

    /// A provider that answers a request (head and body as text) with the given pieces, each
    /// written by itself, and closes.
    pub(crate) fn answering(answer: impl Fn(&str) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (received.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, answer) = (seen.clone(), answer.clone());
                std::thread::spawn(move || converse(stream, &seen, answer.as_ref()));
            }
        });
        Self { address, received }
    }

    /// Every request so far, head and body; an empty text for a connection that said nothing.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

fn converse(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str) -> Vec<Vec<u8>> + Send + Sync),
) {
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let request = request(&mut stream);
    seen.lock().unwrap().push(request.clone());
    for piece in answer(&request) {
        if stream.write_all(&piece).is_err() {
            return;
        }
    }
}

/// One request, as far as it says how long it is.
fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => bytes.extend_from_slice(&buffer[..read]),
            _ => return text,
        }
    }
}

/// A whole answer with a body of JSON.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<Vec<u8>> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n"
    );
    vec![(head + body).into_bytes()]
}

/// A configuration whose providers are joined by one that stands at `address`.
pub(crate) fn with_provider(text: &str, name: &str, dialect: &str, address: SocketAddr) -> String {
    let provider = format!(
        "  {name}:\n    kind: simulated\n    base_url: \"http://{address}/v1\"\n    api_key: \"${{env:PROVIDER_KEY}}\"\n    dialect: {dialect}\n    timeouts: {{ connect: 5s, first_token: 20s, between_tokens: 20s, total: 40s }}\nteams:"
    );
    text.replacen("teams:", &provider, 1)
}

/// A site whose every answer is kept. At its end, nothing that it said or wrote may hold a secret.
pub(crate) struct Swept {
    site: Site,
    heard: Mutex<Vec<String>>,
}

impl Swept {
    pub(crate) fn new(site: Site) -> Self {
        Self { site, heard: Mutex::default() }
    }

    pub(crate) fn call(&self, dialect: Dialect, model: &str, stream: bool) -> Reply {
        self.heard(self.site.call(dialect, model, stream))
    }

    /// Posts in a dialect with the test's key.
    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Reply {
        let own = format!("authorization: Bearer {KEY}\r\nanthropic-version: 2023-06-01\r\n");
        self.heard(self.site.post(path, &(own + headers), body))
    }

    /// Posts without the test's key.
    pub(crate) fn post_as_nobody(&self, path: &str, headers: &str, body: &str) -> Reply {
        self.heard(self.site.post(path, headers, body))
    }

    pub(crate) fn exchange(&self, bytes: &[u8]) -> Option<Reply> {
        exchange(self.site.address, bytes).map(|reply| self.heard(reply))
    }

    fn heard(&self, reply: Reply) -> Reply {
        self.heard.lock().unwrap().push(format!("{}\n\n{}", reply.head, reply.body));
        reply
    }

    /// Whether it still serves.
    pub(crate) fn serves(&self) {
        let reply = self.site.call(super::super::site::DIALECTS[0], "chat/hello", false);
        assert_eq!(reply.status, 200, "{}", reply.body);
    }

    /// Everything the gateway said or wrote, with its place.
    fn everything(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = self
            .heard
            .lock()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(number, text)| (format!("answer {number}"), text.clone()))
            .collect();
        for path in ["/", "/metrics", "/readyz", "/healthz"] {
            let page = get(self.site.admin, path).unwrap();
            all.push((path.into(), page.head + &page.body));
        }
        files(&self.site.folder, &mut all);
        all
    }
}

impl Deref for Swept {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Drop for Swept {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let everything = self.everything();
        assert!(everything.iter().any(|(place, _)| place.ends_with(".db")), "{everything:?}");
        for secret in [KEY, PROVIDER_KEY, SECOND_KEY] {
            for form in forms(secret) {
                let leak = everything.iter().find(|(_, text)| text.contains(&form));
                assert!(leak.is_none(), "{secret} as {form} in {leak:?}");
            }
        }
    }
}

/// Every file under a folder: the program's output, its log, its database.
fn files(folder: &Path, all: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap().map_while(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, all);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            all.push((path.display().to_string(), text));
        }
    }
}

/// The forms in which a secret would give itself away.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    let digest = digest.as_ref();
    let mut forms = spellings(secret);
    // What of a base64 text does not depend on its neighbours.
    for text in &mut forms[PLAIN..] {
        *text = text[4..text.len() - 4].to_owned();
    }
    forms.extend([hex(digest), hex(digest).to_uppercase()]);
    forms.push(STANDARD.encode(digest).trim_end_matches('=').to_owned());
    forms.push(String::from_utf8_lossy(digest).into_owned());
    forms
}

/// How many spellings are not base64.
const PLAIN: usize = 5;

/// The spellings that anybody can undo.
pub(crate) fn spellings(secret: &str) -> Vec<String> {
    let mut spellings = vec![
        secret.to_owned(),
        secret.replace('-', "%2D"),
        secret.replace('-', "%2d"),
        hex(secret.as_bytes()),
        hex(secret.as_bytes()).to_uppercase(),
    ];
    // In base64 a text looks different at each of three places.
    for place in 0..3 {
        let text = ["", "x", "xy"][place].to_owned() + secret;
        for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
            spellings.push(encoded);
        }
    }
    spellings
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
