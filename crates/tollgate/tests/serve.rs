//! `tollgate serve` from the outside: what it says at the first start and later, what it does when a
//! port is busy, when its configuration changes, and when it is told to end.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that breaks should say so at once")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tollgate-serve-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }

    /// The program in this folder, with its output in `out` and its log in `err`.
    fn start(&self, arguments: &[&str]) -> Running<'_> {
        let file = |name: &str| Stdio::from(std::fs::File::create(self.0.join(name)).unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(arguments)
            .current_dir(&self.0)
            .env_clear()
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        Running { child, folder: self }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Running<'a> {
    child: Child,
    folder: &'a Folder,
}

impl Running<'_> {
    /// What it said, once it has said everything.
    fn welcome(&mut self) -> String {
        wait(|| {
            let said = self.folder.read("out");
            said.contains("A first call:").then_some(said)
        })
    }

    fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn end(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `found` finds something.
fn wait<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited for ten seconds");
        pause(20);
    }
}

#[expect(clippy::disallowed_methods, reason = "no runtime waits for this thread")]
fn pause(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

/// The word after `begins` in what was said.
fn after<'a>(said: &'a str, begins: &str) -> &'a str {
    let line = said
        .lines()
        .find(|line| line.starts_with(begins))
        .unwrap_or_else(|| panic!("{begins} in {said}"));
    line[begins.len()..].split_whitespace().next().unwrap()
}

/// Status and body of a chat call.
fn call(data: &str, key: &str, model: &str) -> (u16, String) {
    let address = data.strip_prefix("http://").unwrap();
    let body =
        format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Good morning"}}]}}"#);
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {answer:?}"));
    (status.parse().unwrap(), answer)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn the_first_start_makes_a_key_and_a_later_one_names_it() {
    let folder = Folder::new("first");
    let mut running = folder.start(&["serve"]);
    let said = running.welcome();
    let (data, key) = (after(&said, "Callers").to_owned(), after(&said, "Key ").to_owned());
    assert!(said.lines().any(|line| line.starts_with("curl ") && line.contains(&key)), "{said}");
    let (status, answer) = call(&data, &key, "simulated/hello");
    assert!(status == 200 && answer.contains("You said: Good morning"), "{answer}");
    assert_eq!(call(&data, "tg_not-a-real-key", "simulated/hello").0, 401);
    assert_eq!(running.end(), Some(0), "{}", folder.read("err"));
    assert!(!folder.read("err").contains(&key));

    let mut running = folder.start(&["serve"]);
    let said = running.welcome();
    assert!(said.contains("Keys       first") && !said.contains(&key), "{said}");
    assert_eq!(call(after(&said, "Callers"), &key, "simulated/hello").0, 200);
    running.end();
}

#[test]
fn a_busy_default_port_gives_way_and_a_busy_chosen_one_does_not() {
    // Another program may hold the default; then this test need not.
    let _held = TcpListener::bind("127.0.0.1:8080");
    let folder = Folder::new("busy");
    let mut running = folder.start(&["serve"]);
    let said = running.welcome();
    assert!(said.contains("Port 8080 is busy: taking "), "{said}");
    assert!(!after(&said, "Callers").ends_with(":8080"), "{said}");
    running.end();

    let folder = Folder::new("chosen");
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap();
    let text =
        format!("listen: {{ data: {address} }}\nproviders: {{ play: {{ kind: simulated }} }}\n");
    folder.write("tollgate.yaml", &text);
    let mut running = folder.start(&["serve", "--config", "tollgate.yaml"]);
    assert_eq!(running.child.wait().unwrap().code(), Some(1));
    assert!(folder.read("err").contains(&address.to_string()), "{}", folder.read("err"));
    assert_eq!(folder.read("out"), "");
    drop(held);
    // The key that was made for a start that never was has been taken back.
    let mut running = folder.start(&["serve", "--config", "tollgate.yaml"]);
    assert!(running.welcome().contains("shown this once"));
    running.end();
}

#[test]
fn a_good_change_is_taken_over_and_a_bad_one_is_not() {
    let folder = Folder::new("reload");
    let (data, admin) = (free_port(), free_port());
    let good = |model: &str| {
        format!(
            "listen: {{ data: \"127.0.0.1:{data}\", admin: \"127.0.0.1:{admin}\" }}\n\
             providers: {{ play: {{ kind: simulated }} }}\nmodels:\n  {model}: {{ targets: [ {{ to: play/hello }} ] }}\n"
        )
    };
    folder.write("tollgate.yaml", &good("assistant"));
    let mut running = folder.start(&["serve", "--config", "tollgate.yaml"]);
    let said = running.welcome();
    let (url, key) = (after(&said, "Callers").to_owned(), after(&said, "Key ").to_owned());
    assert_eq!(call(&url, &key, "assistant").0, 200);
    assert_eq!(call(&url, &key, "helper").0, 404);

    folder.write("tollgate.yaml", &good("helper"));
    wait(|| (call(&url, &key, "helper").0 == 200).then_some(()));
    assert_eq!(call(&url, &key, "assistant").0, 404);

    folder.write("tollgate.yaml", &good("assistant").replace("play/hello", "plya/hello"));
    wait(|| folder.read("err").contains("no provider `plya`").then_some(()));
    let log = folder.read("err");
    for part in ["line=4", "column=", "models.assistant.targets[0].to", "did you mean `play`?"] {
        assert!(log.contains(part), "{part} in {log}");
    }
    assert_eq!(call(&url, &key, "helper").0, 200);

    // Not noticed but asked for.
    folder.write("tollgate.yaml", &good("third"));
    running.signal("-HUP");
    wait(|| (call(&url, &key, "third").0 == 200).then_some(()));
    assert_eq!(running.end(), Some(0), "{}", folder.read("err"));
}

#[test]
fn a_hundred_bad_versions_fail_no_call() {
    let folder = Folder::new("hundred");
    let (data, admin) = (free_port(), free_port());
    let good = format!(
        "listen: {{ data: \"127.0.0.1:{data}\", admin: \"127.0.0.1:{admin}\" }}\n\
         providers: {{ play: {{ kind: simulated }} }}\n"
    );
    folder.write("tollgate.yaml", &good);
    let mut running = folder.start(&["serve", "--config", "tollgate.yaml"]);
    let said = running.welcome();
    let (url, key) = (after(&said, "Callers").to_owned(), after(&said, "Key ").to_owned());
    for number in 0..100 {
        folder.write("tollgate.yaml", &format!("{good}mistake{number}: {{}}\n"));
        running.signal("-HUP");
        let named = format!("path=\"mistake{number}\"");
        wait(|| {
            assert_eq!(call(&url, &key, "play/hello").0, 200);
            folder.read("err").contains(&named).then_some(())
        });
    }
    let log = folder.read("err");
    let refused =
        log.lines().filter(|line| line.contains("is refused") && line.contains("line=3")).count();
    assert!(refused >= 100, "{refused} of 100 refused");
    assert_eq!(running.end(), Some(0), "{log}");
}

/// Whether the gateway shows a certificate that this root vouches for.
fn shows(address: &str, root: &rcgen::Certificate) -> bool {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut tls = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    while tls.is_handshaking() {
        if tls.complete_io(&mut stream).is_err() {
            return false;
        }
    }
    true
}

#[test]
fn a_renewed_certificate_is_taken_over() {
    let folder = Folder::new("renewed");
    let make = || rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (old, new) = (make(), make());
    let write = |made: &rcgen::CertifiedKey<rcgen::KeyPair>| {
        folder.write("key.pem", &made.signing_key.serialize_pem());
        folder.write("cert.pem", &made.cert.pem());
    };
    write(&old);
    let data = format!("127.0.0.1:{}", free_port());
    let text = format!(
        "listen:\n  data: {data}\n  admin: \"127.0.0.1:{}\"\n\
         \x20 tls: {{ certificate: cert.pem, key: key.pem }}\nproviders: {{ play: {{ kind: simulated }} }}\n",
        free_port()
    );
    folder.write("tollgate.yaml", &text);
    let mut running = folder.start(&["serve", "--config", "tollgate.yaml"]);
    assert!(running.welcome().contains(&format!("https://{data}")));
    assert!(shows(&data, &old.cert) && !shows(&data, &new.cert));
    write(&new);
    wait(|| shows(&data, &new.cert).then_some(()));
    assert!(!shows(&data, &old.cert));
    assert_eq!(running.end(), Some(0), "{}", folder.read("err"));
}

/// From another gateway's file to a call that is answered.
#[test]
fn an_imported_configuration_serves() {
    let folder = Folder::new("import");
    let mut provider =
        folder.start(&["simulate", "--listen", &format!("127.0.0.1:{}", free_port())]);
    let said = wait(|| {
        let said = folder.read("out");
        said.contains("Any key will do").then_some(said)
    });
    let upstream = after(&said, "The simulated providers listen on").to_owned();
    folder.write(
        "litellm.yaml",
        &format!(
            "model_list:\n  - model_name: helper\n    litellm_params:\n      model: openai/gpt-test\n      \
             api_base: {upstream}/v1\n      api_key: os.environ/HOST_KEY\n      rpm: 5\n\
             general_settings: {{ master_key: os.environ/MASTER_KEY }}\n"
        ),
    );
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(arguments)
            .current_dir(&folder.0)
            .env_clear()
            .env("HOST_KEY", "not-a-real-key")
            .env("MASTER_KEY", "sk-master-not-a-real-key")
            .output()
            .unwrap()
    };
    let imported = run(&["import", "litellm", "litellm.yaml", "--output", "tollgate.yaml"]);
    assert!(imported.status.success(), "{imported:?}");
    let report = String::from_utf8(imported.stderr).unwrap();
    assert!(
        report.contains("litellm.yaml:7:12: model_list[0].litellm_params.rpm: not carried"),
        "{report}"
    );
    assert!(report.contains("1 models at 1 providers carried"), "{report}");
    let checked = run(&["check", "tollgate.yaml"]);
    assert!(checked.status.success(), "{checked:?}");
    let file = std::process::Stdio::from(std::fs::File::create(folder.0.join("out")).unwrap());
    let child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["serve", "--config", "tollgate.yaml"])
        .current_dir(&folder.0)
        .env_clear()
        .env("HOST_KEY", "not-a-real-key")
        .env("MASTER_KEY", "sk-master-not-a-real-key")
        .stdout(file)
        .spawn()
        .unwrap();
    let mut running = Running { child, folder: &folder };
    let said = running.welcome();
    let data = after(&said, "Callers").to_owned();
    let (status, answer) = call(&data, "sk-master-not-a-real-key", "helper");
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("You said: Good morning"), "{answer}");
    assert_eq!(running.end(), Some(0));
    provider.child.kill().unwrap();
}
