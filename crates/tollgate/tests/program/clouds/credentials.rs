//! Credentials that change: found where each cloud's SDKs find them, replaced before they expire
//! while calls go on, kept while a source fails, and never told to anybody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::{digest, hmac};
use serde_json::{Value, json};

use super::super::attacks::bench::{Listener, Swept, answer};
use super::super::site::{DIALECTS, Site};
use super::{CALLER, CLAUDE, ID, ask, message, with_provider};

const TOKEN: &str = "cloud-token-not-a-secret";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Checks the signature of a request as it was received, by the letter of AWS's description.
pub(crate) fn verify(request: &str, secret: &str, region: &str, service: &str) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let mut line = lines.next().unwrap().split(' ');
    let (method, path) = (line.next().unwrap(), line.next().unwrap());
    let header = |wanted: &str| {
        let found = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut values = found.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        values.next().unwrap_or_else(|| panic!("no {wanted}: {head}")).1.trim().to_owned()
    };
    let shown = header("authorization");
    let part = |name: &str| {
        let (_, rest) = shown.split_once(name).unwrap();
        rest.split(',').next().unwrap().trim().to_owned()
    };
    let time = header("x-amz-date");
    let scope = format!("{}/{region}/{service}/aws4_request", &time[..8]);
    assert!(part("Credential=").ends_with(&format!("/{scope}")), "{shown}");
    let signed = part("SignedHeaders=");
    assert!(signed.contains("host") && signed.contains("x-amz-date"), "{signed}");
    let headers: String =
        signed.split(';').map(|name| format!("{name}:{}\n", header(name))).collect();
    let canonical =
        [method, &path.replace('%', "%25"), "", &headers, &signed, &sha256(body.as_bytes())]
            .join("\n");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mac = |key: &[u8], text: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    };
    let mut key = format!("AWS4{secret}").into_bytes();
    for word in [&time[..8], region, service, "aws4_request"] {
        key = mac(&key, word);
    }
    assert_eq!(part("Signature="), hex(&mac(&key, &text)), "{canonical}");
}

fn bedrock(at: &Listener) -> String {
    format!(
        "  bedrock: {{ kind: bedrock, region: eu-west-1, base_url: \"http://{}\", dialect: anthropic-messages }}",
        at.address
    )
}

fn vertex(at: &Listener, credentials: &str) -> String {
    format!(
        "  vertex: {{ kind: vertex, project: p, location: l, base_url: \"http://{}\"{credentials} }}",
        at.address
    )
}

fn azure(at: &Listener, credentials: &str) -> String {
    format!("  azure: {{ kind: azure-openai, base_url: \"http://{}\"{credentials} }}", at.address)
}

/// What an endpoint of AWS's containers answers; the keys are good for `life`.
fn container(number: u64, life: Duration) -> String {
    let until = jiff::Timestamp::try_from(SystemTime::now() + life).unwrap();
    json!({"AccessKeyId": format!("{ID}{number}"), "SecretAccessKey": format!("{TOKEN}-{number}"),
        "Token": format!("session-{TOKEN}-{number}"), "Expiration": format!("{until:.0}")})
    .to_string()
}

fn claude(site: &Site) -> (u16, String) {
    let reply = site.post("/v1/messages", CALLER, &ask(&format!("bedrock/{CLAUDE}"), false));
    (reply.status, reply.body)
}

fn bearer(request: &str) -> &str {
    request.split_once("authorization: Bearer ").unwrap().1.split_once("\r\n").unwrap().0
}

#[test]
fn keys_of_a_container_are_replaced_under_load_and_kept_while_their_source_fails() {
    let provider = Listener::answering(|_| answer("200 OK", "", &message()));
    let (number, broken) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (count, fails) = (number.clone(), broken.clone());
    let life = Duration::from_secs(8);
    let source = Listener::answering(move |_| match fails.load(Ordering::Relaxed) {
        true => answer("500 Internal Server Error", "", "{}"),
        false => answer("200 OK", "", &container(count.fetch_add(1, Ordering::Relaxed), life)),
    });
    let uri = format!("http://{}/credentials", source.address);
    let environment = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)];
    let site = with_provider(&environment, &bedrock(&provider));
    let begun = Instant::now();
    let mut calls = 0;
    while begun.elapsed() < Duration::from_secs(20) {
        let (status, body) = claude(&site);
        assert_eq!(status, 200, "after {:?}: {body}", begun.elapsed());
        calls += 1;
    }
    let ids: BTreeSet<String> = provider
        .received()
        .iter()
        .map(|request| {
            let (_, rest) = request.split_once("Credential=").unwrap();
            let id = rest.split('/').next().unwrap().to_owned();
            let number: u64 = id.trim_start_matches(ID).parse().unwrap();
            verify(request, &format!("{TOKEN}-{number}"), "eu-west-1", "bedrock");
            assert!(request.contains(&format!("x-amz-security-token: session-{TOKEN}-{number}")));
            id
        })
        .collect();
    assert!(ids.len() >= 3 && calls > 100, "{ids:?} in {calls} calls");
    // While the last keys are good they serve on; then there are none, said at once.
    broken.store(true, Ordering::Relaxed);
    assert_eq!(claude(&site).0, 200);
    let begun = Instant::now();
    let (status, body) = loop {
        let (status, body) = claude(&site);
        if status != 200 {
            break (status, body);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "expired keys are shown");
    };
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &told["type"]), (502, &json!("error")), "{body}");
    let begun = Instant::now();
    assert_eq!(claude(&site).0, 502);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    site.until_logged("provider_credential");
    broken.store(false, Ordering::Relaxed);
    let begun = Instant::now();
    while claude(&site).0 != 200 {
        assert!(begun.elapsed() < Duration::from_secs(70), "{}", site.log());
    }
    assert!(!site.log().contains(TOKEN), "{}", site.log());
}

#[test]
fn keys_of_a_machine_are_asked_for_with_a_session_and_of_a_web_identity_with_its_token() {
    let provider = Listener::answering(|_| answer("200 OK", "", &message()));
    let machine = Listener::answering(|request| {
        let line = request.lines().next().unwrap();
        if line.starts_with("PUT /latest/api/token") {
            return answer("200 OK", "x-aws-ec2-metadata-token-ttl-seconds: 600\r\n", "session-1");
        }
        if !request.contains("x-aws-ec2-metadata-token: session-1") {
            return answer("401 Unauthorized", "", "");
        }
        if line.contains("/security-credentials/my-role") || line.contains("-extended/my-role") {
            let mut keys: Value =
                serde_json::from_str(&container(7, Duration::from_secs(3600))).unwrap();
            keys["Code"] = "Success".into();
            return answer("200 OK", "", &keys.to_string());
        }
        answer("200 OK", "", "my-role")
    });
    let endpoint = format!("http://{}", machine.address);
    let environment = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)];
    let site = with_provider(&environment, &bedrock(&provider));
    let (status, body) = claude(&site);
    assert_eq!(status, 200, "{body} {}", site.log());
    verify(&provider.received()[0], &format!("{TOKEN}-7"), "eu-west-1", "bedrock");

    let sts = Listener::answering(|request| {
        assert!(request.contains("WebIdentityToken=platform-token"), "{request}");
        let until =
            jiff::Timestamp::try_from(SystemTime::now() + Duration::from_secs(900)).unwrap();
        let body = format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>r:s</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{ID}9</AccessKeyId><SecretAccessKey>{TOKEN}-9</SecretAccessKey><SessionToken>session-{TOKEN}-9</SessionToken><Expiration>{until:.0}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        );
        answer("200 OK", "", &body)
    });
    let token = site.folder.join("platform-token");
    std::fs::write(&token, "platform-token").unwrap();
    let environment = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.display().to_string()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r".to_owned()),
        ("AWS_ENDPOINT_URL_STS", format!("http://{}", sts.address)),
    ];
    let site = with_provider(&environment, &bedrock(&provider));
    let (status, body) = claude(&site);
    assert_eq!(status, 200, "{body} {}", site.log());
    let request = provider.received().pop().unwrap();
    verify(&request, &format!("{TOKEN}-9"), "eu-west-1", "bedrock");
}

#[test]
fn without_any_credential_the_caller_is_told_so_in_its_dialect_and_nobody_waits() {
    let provider = Listener::nobody();
    // An address where nobody answers.
    let environment = [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1".to_owned()),
        ("GCE_METADATA_HOST", "127.0.0.1:1".to_owned()),
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/token".to_owned()),
        ("IDENTITY_HEADER", "identity-header-not-a-secret".to_owned()),
    ];
    let rows = [bedrock(&provider), vertex(&provider, ""), azure(&provider, "")].join("\n");
    let site = Swept::new(with_provider(&environment, &rows));
    for caller in DIALECTS {
        for model in ["bedrock/anthropic.claude", "vertex/claude-4", "azure/gpt-4o"] {
            let begun = Instant::now();
            let reply = site.call(caller, model, true);
            assert!(begun.elapsed() < Duration::from_secs(8), "{model}: {:?}", begun.elapsed());
            assert_eq!(reply.status, 502, "{model}: {}", reply.body);
            assert!(caller.is_error(&reply.json()), "{}", reply.body);
            assert!(reply.body.contains("no valid credential"), "{}", reply.body);
        }
    }
    assert!(provider.received().is_empty());
    assert!(!site.log().contains("identity-header-not-a-secret"));
}

#[test]
fn a_service_account_of_google_shows_tokens_of_its_own() {
    let provider = Listener::answering(|_| {
        answer(
            "200 OK",
            "",
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}"#,
        )
    });
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_pem();
    let file =
        std::env::temp_dir().join(format!("tollgate-service-account-{}", std::process::id()));
    let json = json!({"type": "service_account", "client_email": "me@p.example",
        "private_key_id": "k1", "private_key": key, "project_id": "p"});
    std::fs::write(&file, json.to_string()).unwrap();
    let credentials = format!(", credentials: {{ file: \"{}\" }}", file.display());
    let site = with_provider(&[], &vertex(&provider, &credentials));
    let reply = site.call(DIALECTS[2], "vertex/gemini-2.5-flash", false);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(reply.status, 200, "{} {}", reply.body, site.log());
    let request = provider.received().remove(0);
    let parts: Vec<&str> = bearer(&request).split('.').collect();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = base64::Engine::decode(&engine, parts[1]).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], "me@p.example");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/cloud-platform");
}

#[test]
fn entra_gives_tokens_to_an_application_a_platform_and_a_machine() {
    let provider = Listener::answering(|_| {
        answer(
            "200 OK",
            "",
            r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}"#,
        )
    });
    let number = AtomicU64::new(0);
    let entra = Listener::answering(move |_| {
        // A life of a few seconds: replaced while calls go on.
        let number = number.fetch_add(1, Ordering::Relaxed);
        answer(
            "200 OK",
            "",
            &format!(
                r#"{{"token_type":"Bearer","expires_in":"4","access_token":"{TOKEN}-{number}"}}"#
            ),
        )
    });
    let file = std::env::temp_dir().join(format!("tollgate-federated-{}", std::process::id()));
    std::fs::write(&file, "platform-token\n").unwrap();
    let authority = ("AZURE_AUTHORITY_HOST", format!("http://{}/", entra.address));
    let cases = [
        (
            vec![authority.clone()],
            ", credentials: { tenant: t-1, client_id: c-1, client_secret: \"${env:PROVIDER_KEY}\" }".to_owned(),
            "client_secret=sk-provider-key-not-a-secret",
        ),
        (
            vec![authority, ("AZURE_TENANT_ID", "t-1".into()), ("AZURE_CLIENT_ID", "c-1".into()),
                ("AZURE_FEDERATED_TOKEN_FILE", file.display().to_string())],
            String::new(),
            "client_assertion=platform-token",
        ),
        (
            vec![("IDENTITY_ENDPOINT", format!("http://{}/msi", entra.address)), ("IDENTITY_HEADER", "id-1".into())],
            ", credentials: { managed_identity: true, client_id: c-1 }".to_owned(),
            "x-identity-header: id-1",
        ),
    ];
    for (environment, credentials, proof) in cases {
        let before = provider.received().len();
        let site = Swept::new(with_provider(&environment, &azure(&provider, &credentials)));
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(7) {
            let reply = site.call(DIALECTS[0], "azure/gpt-4o", false);
            assert_eq!(reply.status, 200, "{} {}", reply.body, site.log());
        }
        let received = provider.received();
        let tokens: BTreeSet<&str> =
            received[before..].iter().map(|request| bearer(request)).collect();
        assert!(tokens.len() >= 2, "{tokens:?}");
        let asked = entra.received().pop().unwrap();
        assert!(asked.contains(proof), "{asked}");
        let line = asked.lines().next().unwrap();
        match proof.starts_with("x-identity") {
            true => assert!(line.starts_with("GET /msi?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=c-1 "), "{line}"),
            false => {
                assert_eq!(line, "POST /t-1/oauth2/v2.0/token HTTP/1.1");
                assert!(asked.contains("scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"), "{asked}");
            }
        }
        assert!(!site.log().contains(TOKEN));
    }
    std::fs::remove_file(&file).unwrap();
}

/// What a provider says about a token or a key that it was shown is not passed on, and a log of
/// everything does not hold it.
#[test]
fn a_provider_that_repeats_the_credential_is_not_repeated() {
    let provider = Listener::answering(|request| {
        let shown = match request.split_once("x-amz-security-token: ") {
            Some((_, rest)) => rest.split_once("\r\n").unwrap().0,
            None => bearer(request),
        };
        let body = json!({"error": {"code": 400, "message": format!("Wrong: {shown}"),
            "status": "INVALID_ARGUMENT"}});
        answer("400 Bad Request", "", &body.to_string())
    });
    let metadata = Listener::answering(|_| {
        let token = json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"});
        answer("200 OK", "", &token.to_string())
    });
    let source =
        Listener::answering(|_| answer("200 OK", "", &container(1, Duration::from_secs(3600))));
    let environment = [
        ("RUST_LOG", "trace".to_owned()),
        ("GCE_METADATA_HOST", metadata.address.to_string()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{}/credentials", source.address)),
    ];
    let rows = [vertex(&provider, ""), bedrock(&provider)].join("\n");
    let site = with_provider(&environment, &rows);
    for caller in DIALECTS {
        for model in ["vertex/gemini-2.5-flash", "bedrock/anthropic.claude"] {
            let reply = site.call(caller, model, false);
            assert_eq!(reply.status, 400, "{}", reply.body);
            assert!(!reply.body.contains(TOKEN), "{}", reply.body);
            assert!(reply.body.contains("[redacted]"), "{}", reply.body);
        }
    }
    let log = site.log();
    assert!(log.contains("TRACE") && !log.contains(TOKEN), "{log}");
}
