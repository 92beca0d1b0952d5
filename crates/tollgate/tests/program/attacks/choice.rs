//! Nobody but the operator chooses where a call goes, or with which credential (T01–T06).

use std::time::Duration;

use http::Method;
use tollgate_wire::Operation;

use super::super::site::{DIALECTS, KEY, PROVIDER_KEY, Site};
use super::bench::{Listener, SECOND_KEY, Swept, answer, with_provider};

/// Names under which other gateways and SDKs take a host, a key or a provider's settings.
const FIELDS: [&str; 17] = [
    "api_base",
    "API_BASE",
    "apiBase",
    "base_url",
    "baseURL",
    "api_key",
    "apiKey",
    "extra_headers",
    "extra_body",
    "deployment",
    "aws_access_key_id",
    "aws_bedrock_runtime_endpoint",
    "vertex_project",
    "vertexLocation",
    "azure_endpoint",
    r"\u0061pi_base",
    r"base\u005Furl",
];

#[test]
fn t01_a_body_names_no_host_key_or_provider_setting() {
    let (site, evil) = (Swept::new(Site::start()), Listener::nobody());
    let mut wrong = Vec::new();
    let mut refuse = |what: String, path: &str, body: &str| {
        for field in FIELDS {
            for value in [format!("\"http://{}\"", evil.address), "{\"x\":1}".into(), "null".into()]
            {
                let body = body.replacen('{', &format!(r#"{{"{field}":{value},"#), 1);
                let reply = site.post(path, "", &body);
                let known = reply.status == 400 && reply.body.contains("Unknown parameter");
                if !known || reply.body.contains(&evil.address.to_string()) {
                    wrong.push(format!("{what} {field}: {} {}", reply.status, reply.body));
                }
            }
        }
    };
    for caller in DIALECTS {
        for provider in DIALECTS {
            let (path, body) = caller.call(&format!("{}/hello", provider.provider), true);
            refuse(format!("{caller:?} -> {provider:?}"), &path, &body);
        }
    }
    for (path, body) in [
        ("/v1/embeddings", r#"{"model":"chat/hello","input":"x"}"#),
        (
            "/v1/messages/count_tokens",
            r#"{"model":"messages/hello","messages":[{"role":"user","content":"x"}]}"#,
        ),
        (
            "/v1beta/models/generate/hello:countTokens",
            r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#,
        ),
        ("/v1beta/models/generate/hello:embedContent", r#"{"content":{"parts":[{"text":"x"}]}}"#),
    ] {
        refuse(path.to_owned(), path, body);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(evil.received(), Vec::<String>::new());
    assert_eq!(site.received().len(), 0, "no provider was called");
}

/// Every request line that is spoken here.
fn request_lines() -> Vec<(Method, String, Operation)> {
    let mut lines = Vec::new();
    for dialect in tollgate_wire::DIALECTS {
        let routes = dialect.rules().routes.iter();
        // What rests must be there first: see the attacks on it.
        for route in routes.filter(|route| route.operation != Operation::Resting) {
            let model = if route.suffix.is_some() { "generate/hello" } else { "" };
            let path = format!("{}{model}{}", route.prefix, route.suffix.unwrap_or_default());
            lines.push((route.method.clone(), path, route.operation));
        }
    }
    assert!(lines.len() > 10, "{lines:?}");
    lines
}

fn body_for(path: &str, operation: Operation) -> &'static str {
    let google = path.contains(':');
    match operation {
        Operation::CountTokens if path.starts_with("/model/") => {
            r#"{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"x"}]}]}}}"#
        }
        Operation::Chat if path.starts_with("/model/") => {
            r#"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#
        }
        Operation::Chat | Operation::CountTokens if google => {
            r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#
        }
        Operation::Chat if path.ends_with("/messages") => {
            r#"{"model":"generate/hello","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#
        }
        Operation::Chat | Operation::CountTokens if path.contains("/responses") => {
            r#"{"model":"generate/hello","input":"x"}"#
        }
        Operation::Chat if path == "/v1/completions" => {
            r#"{"model":"generate/hello","prompt":"x"}"#
        }
        Operation::Chat | Operation::CountTokens => {
            r#"{"model":"generate/hello","messages":[{"role":"user","content":"x"}]}"#
        }
        Operation::Embed if path.ends_with(":embedContent") => {
            r#"{"content":{"parts":[{"text":"x"}]}}"#
        }
        Operation::Embed if google => {
            r#"{"requests":[{"model":"models/generate/hello","content":{"parts":[{"text":"x"}]}}]}"#
        }
        Operation::Embed if path == "/v2/embed" => {
            r#"{"model":"generate/hello","texts":["x"],"embedding_types":["float"],"input_type":"search_query"}"#
        }
        Operation::Embed => r#"{"model":"generate/hello","input":"x"}"#,
        Operation::Compact => r#"{"model":"generate/hello","input":"x"}"#,
        Operation::Rerank => r#"{"model":"generate/hello","query":"x","documents":["y"]}"#,
        Operation::MakeImage => r#"{"model":"chat/hello","prompt":"x"}"#,
        Operation::EditImage => r#"{"model":"chat/hello","prompt":"x","images":[]}"#,
        Operation::Speak => r#"{"model":"chat/hello","input":"x","voice":"alloy"}"#,
        Operation::Moderate
        | Operation::VaryImage
        | Operation::Transcribe
        | Operation::TranslateSpeech => r#"{"model":"chat/hello","input":"x"}"#,
        Operation::ListModels
        | Operation::GetModel
        | Operation::Resting
        | Operation::Realtime
        | Operation::Files
        | Operation::Batches
        | Operation::Passthrough => "",
    }
}

/// What wants a form is refused by its provider, which was chosen all the same.
fn status_for(operation: Operation) -> u16 {
    match operation {
        // The provider that is asked has no rankings, and speaks no Responses.
        Operation::Compact
        | Operation::Rerank
        | Operation::VaryImage
        | Operation::Transcribe
        | Operation::TranslateSpeech
        | Operation::Realtime => 400,
        // The header names no provider of this gateway, and no object is there.
        Operation::Files | Operation::Batches => 404,
        _ => 200,
    }
}

#[test]
fn t02_no_header_chooses_a_host_on_any_route() {
    let (site, evil) = (Swept::new(Site::start()), Listener::nobody());
    let host = evil.address;
    let named: String = [
        "x-portkey-custom-host",
        "x-portkey-config",
        "x-portkey-provider",
        "x-portkey-forward-headers",
        "x-litellm-api-base",
        "helicone-target-url",
        "helicone-openai-api-base",
        "cf-aig-custom-host",
        "x-api-base",
        "api-base",
        "base-url",
        "x-base-url",
        "x-target-url",
        "x-upstream",
        "x-host",
        "x-forwarded-host",
        "x-forwarded-server",
        "x-original-url",
        "x-rewrite-url",
        "x-original-host",
        "forwarded",
        "via",
        "referer",
        "origin",
        "openai-organization",
        "openai-project",
        "x-goog-user-project",
        "x-goog-request-params",
        "x-ms-region",
        "x-amz-target",
        "x-tollgate-target",
        "x-tollgate-provider",
    ]
    .map(|name| format!("{name}: http://{host}/v1\r\n"))
    .concat();
    for (method, path, operation) in request_lines() {
        let body = body_for(&path, operation);
        for target in [path.clone(), format!("http://{host}{path}")] {
            let head = |key: &str| {
                format!(
                    "{method} {target} HTTP/1.1\r\nhost: {host}\r\nanthropic-version: 2023-06-01\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n{named}{key}\r\n{body}",
                    body.len()
                )
            };
            // The same gate on every route: no key, no call.
            let before = site.received().len();
            let refused = site.exchange(head("").as_bytes()).unwrap();
            // AWS says of a missing key what it says of a wrong one.
            let status = if path.starts_with("/model/") { 403 } else { 401 };
            assert_eq!(refused.status, status, "{method} {target}: {}", refused.body);
            assert_eq!(site.received().len(), before, "{method} {target}");
            let reply = site.exchange(head(&format!("x-api-key: {KEY}\r\n")).as_bytes()).unwrap();
            let expected = status_for(operation);
            assert_eq!(reply.status, expected, "{method} {target}: {}", reply.body);
        }
    }
    assert_eq!(evil.received(), Vec::<String>::new());
    let received = site.received();
    assert!(received.len() > 10);
    for call in &received {
        assert!(!call.to_string().contains(&host.to_string()), "{call}");
    }
}

#[test]
fn t04_a_redirect_is_never_followed() {
    let evil = Listener::nobody();
    let to = evil.address;
    let places = vec![
        format!("http://{to}/v1/chat/completions"),
        format!("//{to}/"),
        format!("http://user@{to}/"),
        format!("https://{to}/"),
        format!("HTTP://127.0.0.1:{}/", to.port()),
    ];
    let statuses = ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"];
    let (count, told) = (places.len(), places.clone());
    let cases = std::sync::atomic::AtomicUsize::new(0);
    let provider = Listener::answering(move |_| {
        let case = cases.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let place = &told[case % count];
        let status = statuses[case / count % statuses.len()];
        answer(status, &format!("location: {place}\r\n"), "{}")
    });
    let site = Swept::new(Site::adapted("", |text| {
        DIALECTS.iter().fold(text, |text, dialect| {
            let name = format!("far-{}", dialect.provider);
            with_provider(&text, &name, dialect.name, provider.address)
        })
    }));
    for caller in DIALECTS {
        for to in DIALECTS {
            for stream in [false, true] {
                // As many as there are statuses and places.
                for _ in 0..25 {
                    let reply = site.call(caller, &format!("far-{}/m", to.provider), stream);
                    assert_eq!(reply.status, 502, "{caller:?} {to:?}: {}", reply.body);
                    assert!(caller.is_error(&reply.json()), "{}", reply.body);
                    assert!(!reply.body.contains(&evil.address.to_string()), "{}", reply.body);
                    assert_eq!(reply.header("location"), None);
                }
                // The simulated providers' own.
                let model = format!("{}/fault-redirect-{}", to.provider, evil.address);
                assert_eq!(site.call(caller, &model, stream).status, 502);
            }
        }
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(evil.received(), Vec::<String>::new());
    let redirects = site.log().matches("\"error.type\":\"upstream_redirect\"").count();
    assert_eq!(redirects, 9 * 2 * 26);
}

#[test]
fn t05_the_gateway_fetches_nothing_that_a_message_names() {
    let (site, evil) = (Swept::new(Site::start()), Listener::nobody());
    let port = evil.address.port();
    let places = [
        format!("http://127.0.0.1:{port}/x.png"),
        format!("http://localhost:{port}/x.png"),
        format!("http://127.1:{port}/x.png"),
        format!("http://0x7f000001:{port}/x.png"),
        format!("http://2130706433:{port}/x.png"),
        format!("http://[::ffff:127.0.0.1]:{port}/x.png"),
        format!("http://[64:ff9b::7f00:1]:{port}/x.png"),
        format!("https://example.com@127.0.0.1:{port}/x.png"),
        "http://169.254.169.254/latest/meta-data/x.png".into(),
        "http://100.64.0.1/x.png".into(),
        "http://[fe80::1]/x.png".into(),
        "file:///etc/hostname".into(),
    ];
    for place in &places {
        for provider in DIALECTS {
            let model = format!("{}/hello", provider.provider);
            let bodies = [
                (
                    "/v1/chat/completions".into(),
                    format!(
                        r#"{{"model":"{model}","messages":[{{"role":"user","content":[{{"type":"text","text":"look"}},{{"type":"image_url","image_url":{{"url":"{place}"}}}}]}}]}}"#
                    ),
                ),
                (
                    "/v1/messages".into(),
                    format!(
                        r#"{{"model":"{model}","max_tokens":9,"messages":[{{"role":"user","content":[{{"type":"image","source":{{"type":"url","url":"{place}"}}}},{{"type":"document","source":{{"type":"url","url":"{place}"}}}}]}}]}}"#
                    ),
                ),
                (
                    format!("/v1beta/models/{model}:generateContent"),
                    format!(
                        r#"{{"contents":[{{"role":"user","parts":[{{"text":"look"}},{{"fileData":{{"mimeType":"image/png","fileUri":"{place}"}}}}]}}]}}"#
                    ),
                ),
            ];
            for (path, body) in bodies {
                let reply = site.post(&path, "", &body);
                // Whether such a place may be named is for the provider to say.
                assert!(
                    matches!(reply.status, 200 | 400),
                    "{place}: {} {}",
                    reply.status,
                    reply.body
                );
                assert!(!reply.body.contains("root:"), "{}", reply.body);
            }
        }
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(evil.received(), Vec::<String>::new());
}

#[test]
fn t06_each_provider_is_given_its_own_key_and_no_other() {
    let file = std::env::temp_dir().join(format!("tollgate-second-key-{}", std::process::id()));
    std::fs::write(&file, SECOND_KEY).unwrap();
    let mut models = String::from("models:\n");
    for first in DIALECTS {
        for second in DIALECTS {
            models += &format!(
                "  {}-{}: {{ targets: [{{ to: {}/fault-500 }}, {{ to: second-{}/hello }}] }}\n",
                first.provider, second.provider, first.provider, second.provider
            );
        }
    }
    let site = Swept::new(Site::adapted(&models, |text| {
        let upstream = text.split_once("base_url: \"http://").unwrap().1;
        let upstream = upstream.split_once('/').unwrap().0.parse().unwrap();
        let secret = format!("api_key: \"${{file:{}}}\"", file.display());
        DIALECTS.iter().fold(text, |text, dialect| {
            let name = format!("second-{}", dialect.provider);
            let text = with_provider(&text, &name, dialect.name, upstream);
            let (before, after) = text.split_once(&format!("  {name}:\n")).unwrap();
            let after = after.replacen("api_key: \"${env:PROVIDER_KEY}\"", &secret, 1);
            format!("{before}  {name}:\n{after}")
        })
    }));
    let credentials = [
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "xi-api-key",
        "x-auth-token",
        "openai-api-key",
        "ocp-apim-subscription-key",
    ];
    let sent: String = credentials.map(|name| format!("{name}: {KEY}\r\n")).concat()
        + &format!("cookie: session={KEY}\r\nproxy-authorization: Bearer {KEY}\r\n")
        + "x-amz-security-token: caller-token\r\nx-goog-iam-authorization-token: caller-token\r\n";
    for caller in DIALECTS {
        for first in DIALECTS {
            for second in DIALECTS {
                let name = format!("{}-{}", first.provider, second.provider);
                let (path, body) = caller.call(&name, false);
                let before = site.received().len();
                let reply = site.post(&path, &sent, &body);
                assert_eq!(reply.status, 200, "{caller:?} {name}: {}", reply.body);
                let calls = site.received().split_off(before);
                assert_eq!(calls.len(), 2, "{name}");
                for (call, own, other) in
                    [(&calls[0], PROVIDER_KEY, SECOND_KEY), (&calls[1], SECOND_KEY, PROVIDER_KEY)]
                {
                    let call = call.to_string();
                    assert_eq!(call.matches(own).count(), 1, "{call}");
                    for foreign in [other, KEY, "caller-token", "cookie", "proxy-auth"] {
                        assert!(!call.contains(foreign), "{foreign}: {call}");
                    }
                }
            }
        }
    }
    std::fs::remove_file(&file).unwrap();
}
