//! Requests signed as AWS's SDKs sign them, with a key of the gateway, and what becomes of one that
//! was changed on its way, kept too long, or signed by somebody else.

use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;
use tollgate_wire::auth::sigv4::{AwsKeys, Leaving, Scope, sign};
use tollgate_wire::{Framer, Framing};

use super::super::site::{KEY, Reply, Site};

const PATH: &str = "/model/chat%2Fhello/converse";
const BODY: &str = r#"{"messages":[{"role":"user","content":[{"text":"Say a few words."}]}]}"#;

/// What `tollgate keys aws` shows of the key that the file declares.
fn access_key(site: &Site) -> AwsKeys {
    let shown = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .current_dir(&site.folder)
        .env_clear()
        .env("TEST_KEY", KEY)
        .env("PROVIDER_KEY", "x")
        .args(["keys", "aws", "tests", "--json", "--config"])
        .arg(site.folder.join("tollgate.yaml"))
        .arg("--data-dir")
        .arg(site.folder.join("data"))
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&shown.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&shown.stderr)));
    let text = |name: &str| said[name].as_str().unwrap().to_owned();
    AwsKeys {
        access_key_id: text("access_key_id"),
        secret_access_key: text("secret_access_key"),
        session_token: None,
    }
}

struct Signed {
    keys: AwsKeys,
    service: &'static str,
    late: Duration,
    path: &'static str,
    body: &'static str,
}

impl Signed {
    fn with(keys: &AwsKeys) -> Self {
        let late = Duration::ZERO;
        Self { keys: keys.clone(), service: "bedrock", late, path: PATH, body: BODY }
    }

    /// The header lines of the request, signed.
    fn headers(&self) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("gateway"));
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let (uri, body) = (self.path.parse().unwrap(), self.body.as_bytes());
        let leaving = Leaving { method: &Method::POST, uri: &uri, body };
        let scope = Scope { region: "eu-central-1", service: self.service };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let time = now - self.late;
        sign(&self.keys, scope, time, leaving, &mut headers).unwrap();
        let line = |name: &str| format!("{name}: {}\r\n", headers[name].to_str().unwrap());
        line("authorization") + &line("x-amz-date")
    }

    fn sent(&self, site: &Site) -> Reply {
        site.post(self.path, &self.headers(), self.body)
    }
}

fn assert_refused(reply: &Reply, kind: &str) {
    assert_eq!(reply.status, 403, "{}", reply.body);
    assert_eq!(reply.header("x-amzn-errortype"), Some(kind), "{}", reply.body);
    assert!(reply.json()["message"].is_string());
}

#[test]
fn a_key_signs_as_amazons_sdks_sign_and_a_bearer_is_taken_too() {
    let site = Site::start();
    let keys = access_key(&site);
    let bearer = format!("authorization: Bearer {KEY}\r\n");
    for reply in [Signed::with(&keys).sent(&site), site.post(PATH, &bearer, BODY)] {
        assert_eq!(reply.status, 200, "{}", reply.body);
        let said = reply.json();
        assert!(said["output"]["message"]["content"][0]["text"].is_string(), "{said}");
        assert_eq!(said["stopReason"], "end_turn");
    }
    // The access log is written beside the calls.
    let booked = |log: &str| log.matches("\"tollgate.key\":\"tests\"").count() == 2;
    let begun = Instant::now();
    while !booked(&site.log()) && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let log = site.log();
    assert!(booked(&log), "{log}");
    assert!(!log.contains(&keys.secret_access_key));
    for call in site.received() {
        let call = call.to_string();
        assert!(!call.contains(&keys.access_key_id) && !call.contains("AWS4-HMAC"), "{call}");
    }
}

#[test]
fn a_stream_is_answered_in_frames_whose_checksums_agree() {
    let site = Site::start();
    let keys = access_key(&site);
    for model in ["chat", "messages", "generate"] {
        let path: &'static str = format!("/model/{model}%2Fhello/converse-stream").leak();
        let signed = Signed { path, ..Signed::with(&keys) };
        let (head, body) = site.post_raw(path, &signed.headers(), BODY);
        assert!(head.contains("application/vnd.amazon.eventstream"), "{head}");
        let mut framer = Framer::new(Framing::AwsEventStream, 1 << 20);
        framer.push(body.into());
        let mut names = Vec::new();
        while let Some(frame) = framer.next_frame().unwrap() {
            names.push(String::from_utf8(frame.event.to_vec()).unwrap());
        }
        assert_eq!(framer.end(), Ok(None));
        assert_eq!(names.first().map(String::as_str), Some("messageStart"), "{names:?}");
        assert_eq!(names[names.len() - 2..], ["messageStop", "metadata"], "{names:?}");
    }
}

#[test]
fn a_request_that_was_changed_after_it_was_signed_is_refused() {
    let site = Site::start();
    let keys = access_key(&site);
    let signed = Signed::with(&keys);
    let headers = signed.headers();
    let other = BODY.replace("few", "many");
    assert_refused(&site.post(PATH, &headers, &other), "InvalidSignatureException");
    let elsewhere = "/model/messages%2Fhello/converse";
    assert_refused(&site.post(elsewhere, &headers, BODY), "InvalidSignatureException");
    let region = headers.replace("eu-central-1", "us-east-1");
    assert_refused(&site.post(PATH, &region, BODY), "InvalidSignatureException");
    let added = format!("{headers}x-tollgate-user: someone\r\n");
    assert_refused(&site.post(PATH, &added, BODY), "InvalidSignatureException");
    let open = format!("{headers}x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n");
    assert_refused(&site.post(PATH, &open, BODY), "InvalidSignatureException");
    let less = headers.replace("content-type;", "");
    assert_refused(&site.post(PATH, &less, BODY), "InvalidSignatureException");
    assert!(site.received().is_empty(), "nothing of it reached a provider");
}

#[test]
fn a_signature_stands_over_the_body_as_it_came_and_over_no_upload() {
    let site = Site::start();
    let keys = access_key(&site);
    // Amazon's own paths wrap the body, which is signed as it is wrapped.
    let path = "/model/messages%2Fhello/invoke";
    let body = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"Hello."}]}"#;
    let wrapped = Signed { path, body, ..Signed::with(&keys) };
    let reply = wrapped.sent(&site);
    assert_eq!(reply.status, 200, "{}", reply.body);
    // A signature over nothing opens the way for no upload.
    let nothing = Signed { path: "/v1/files", body: "", ..Signed::with(&keys) };
    let reply = site.post("/v1/files", &nothing.headers(), "{}");
    assert!(matches!(reply.status, 401 | 403), "{} {}", reply.status, reply.body);
    assert_eq!(site.received().len(), 1, "nothing else reached a provider");
}

#[test]
fn a_signature_of_another_time_service_or_key_is_refused() {
    let site = Site::start();
    let keys = access_key(&site);
    for late in [301, 3600] {
        let late = Duration::from_secs(late);
        let old = Signed { late, ..Signed::with(&keys) };
        assert_refused(&old.sent(&site), "InvalidSignatureException");
    }
    let storage = Signed { service: "s3", ..Signed::with(&keys) };
    assert_refused(&storage.sent(&site), "InvalidSignatureException");
    let mut stolen = keys.clone();
    stolen.secret_access_key = "0".repeat(64);
    assert_refused(&Signed::with(&stolen).sent(&site), "InvalidSignatureException");
    let mut unknown = keys.clone();
    unknown.access_key_id = "TGAKAAAAAAAAAAAAAAAA".to_owned();
    assert_refused(&Signed::with(&unknown).sent(&site), "UnrecognizedClientException");
    // The key itself is no secret that signs, and the id alone opens nothing.
    let mut itself = keys.clone();
    itself.secret_access_key = KEY.to_owned();
    assert_refused(&Signed::with(&itself).sent(&site), "InvalidSignatureException");
    for bearer in [&keys.access_key_id, &keys.secret_access_key] {
        let headers = format!("authorization: Bearer {bearer}\r\n");
        assert_refused(&site.post(PATH, &headers, BODY), "UnrecognizedClientException");
    }
    assert_refused(&site.post(PATH, "", BODY), "MissingAuthenticationTokenException");
    let half = "authorization: AWS4-HMAC-SHA256 Credential=x\r\n";
    assert_refused(&site.post(PATH, half, BODY), "IncompleteSignatureException");
    assert!(site.received().is_empty(), "nothing of it reached a provider");
}
