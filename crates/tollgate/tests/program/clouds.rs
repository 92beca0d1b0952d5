//! Clouds: what leaves is wrapped and signed as they want it, what comes back is unwrapped, and
//! what a cloud's own SDK sends is understood.

#[path = "clouds/credentials.rs"]
mod credentials;
#[path = "clouds/vectors.rs"]
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tollgate_wire::framing::aws_eventstream::{write_event, write_exception};
use tollgate_wire::{Framer, Framing};

use super::attacks::bench::{Listener, answer};
use super::site::{DIALECTS, Site};

pub(crate) const ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "aws-secret-not-a-secret-at-all";
const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// A site with one more provider, written as it stands in the file.
fn with_provider(environment: &[(&str, String)], provider: &str) -> Site {
    Site::surrounded(environment, |text| text.replacen("teams:", &format!("{provider}\nteams:"), 1))
}

fn aws_keys() -> [(&'static str, String); 2] {
    [("KEY_ID", ID.to_owned()), ("KEY_SECRET", SECRET.to_owned())]
}

fn bedrock(at: &Listener) -> String {
    format!(
        "  bedrock: {{ kind: bedrock, region: eu-west-1, base_url: \"http://{}\", dialect: anthropic-messages, credentials: {{ access_key_id: \"${{env:KEY_ID}}\", secret_access_key: \"${{env:KEY_SECRET}}\" }} }}",
        at.address
    )
}

fn message() -> String {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [{"type": "text", "text": "Good day"}], "stop_reason": "end_turn",
        "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 2}})
    .to_string()
}

/// The events of a short answer of Claude's.
fn events() -> Vec<Value> {
    vec![
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
            "role": "assistant", "model": "claude", "content": [], "stop_reason": null,
            "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": "Good day"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn",
            "stop_sequence": null}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3}}),
    ]
}

/// As `InvokeModelWithResponseStream` sends events.
fn chunks(events: &[Value], exception: Option<(&str, &str)>) -> Vec<Vec<u8>> {
    let mut body = Vec::new();
    for event in events {
        let payload = json!({"bytes": STANDARD.encode(event.to_string()), "p": "abcd"});
        write_event("chunk", payload.to_string().as_bytes(), &mut body);
    }
    if let Some((name, message)) = exception {
        write_exception(name, json!({"message": message}).to_string().as_bytes(), &mut body);
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n\r\n";
    // Cut where nothing ends.
    let (one, two) = body.split_at(body.len() / 2 + 3);
    vec![head.as_bytes().to_vec(), one.to_vec(), two.to_vec()]
}

fn sse(events: &[Value]) -> Vec<Vec<u8>> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let body: String = events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect();
    vec![head.into(), body.into_bytes()]
}

fn ask(model: &str, stream: bool) -> String {
    format!(
        r#"{{"model":"{model}", "max_tokens":5,"stream":{stream},"messages":[{{"role":"user","content":"Hi"}}],"unknown":1e400}}"#
    )
}

const CALLER: &str =
    "authorization: Bearer tg-test-key-not-a-secret\r\nanthropic-version: 2023-06-01\r\n";

#[test]
fn claude_on_bedrock_is_asked_with_the_callers_own_bytes_signed() {
    let provider = Listener::answering(|_| answer("200 OK", "", &message()));
    let site = with_provider(&aws_keys(), &bedrock(&provider));
    let headers = format!("{CALLER}anthropic-beta: one-1, two-2\r\n");
    let reply = site.post("/v1/messages", &headers, &ask(&format!("bedrock/{CLAUDE}"), false));
    assert_eq!((reply.status, reply.body.as_str()), (200, message().as_str()));
    let request = provider.received().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(
            "POST /model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke HTTP/1.1\r\n"
        ),
        "{head}"
    );
    assert_eq!(
        body,
        r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["one-1","two-2"],"max_tokens":5,"messages":[{"role":"user","content":"Hi"}],"unknown":1e400}"#
    );
    for gone in ["anthropic-beta:", "anthropic-version:", "x-api-key", "tg-test"] {
        assert!(!head.contains(gone), "{head}");
    }
    credentials::verify(&request, SECRET, "eu-west-1", "bedrock");
}

#[test]
fn a_stream_of_bedrock_arrives_as_events_and_its_exceptions_as_errors() {
    let provider = Listener::answering(|request| match request.contains("slow down") {
        true => chunks(&events()[..3], Some(("throttlingException", "Too many tokens"))),
        false => chunks(&events(), None),
    });
    let site = with_provider(&aws_keys(), &bedrock(&provider));
    let model = format!("bedrock/{CLAUDE}");
    let reply = site.post("/v1/messages", CALLER, &ask(&model, true));
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let expected: String = events()
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect();
    assert_eq!(reply.body, expected);
    let received = provider.received();
    assert!(received[0].contains("/invoke-with-response-stream HTTP/1.1"), "{}", received[0]);
    assert!(!received[0].contains("\"stream\""));
    // Another dialect's caller.
    let chat = site.call(DIALECTS[0], &model, true);
    assert!(
        chat.body.contains("Good day") && chat.body.ends_with("data: [DONE]\n\n"),
        "{}",
        chat.body
    );
    let told = site.post("/v1/messages", CALLER, &ask(&model, true).replace("Hi", "slow down"));
    let last = told.body.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: error\n") && last.contains("rate_limit_error"), "{last}");
    assert!(last.contains("Too many tokens") && !told.body.contains("message_stop"));
}

#[test]
fn bedrocks_own_paths_are_understood() {
    let provider = Listener::answering(|request| match request.contains("\"stream\":true") {
        true => sse(&events()),
        false => answer("200 OK", "", &message()),
    });
    let site = Site::adapted("", |text| {
        super::attacks::bench::with_provider(&text, "far", "anthropic-messages", provider.address)
    });
    let body = r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a-1"],"max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#;
    let key = "authorization: Bearer tg-test-key-not-a-secret\r\n";
    let reply = site.post("/model/far%2Fclaude%3A0/invoke", key, body);
    assert_eq!((reply.status, reply.body.as_str()), (200, message().as_str()));
    let request = provider.received().remove(0);
    assert!(request.contains("anthropic-beta: a-1\r\n"), "{request}");
    let sent: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(sent["model"], "claude:0");
    assert_eq!(sent.get("anthropic_version"), None);
    let raw = site.post_raw("/model/far%2Fclaude/invoke-with-response-stream", key, body);
    let (head, body) = raw;
    assert!(head.contains("content-type: application/vnd.amazon.eventstream"), "{head}");
    let mut framer = Framer::new(Framing::AwsEventStream, 1 << 20);
    framer.push(body.into());
    let mut heard = Vec::new();
    while let Some(frame) = framer.next_frame().unwrap() {
        assert_eq!(frame.event, "chunk");
        let chunk: Value = serde_json::from_slice(&frame.data).unwrap();
        let event = STANDARD.decode(chunk["bytes"].as_str().unwrap()).unwrap();
        heard.push(serde_json::from_slice::<Value>(&event).unwrap());
    }
    assert_eq!(heard, events());
}

#[test]
fn vertex_is_asked_for_each_model_in_the_dialect_and_at_the_place_it_has() {
    let provider = Listener::answering(|request| match request {
        _ if request.contains("streamRawPredict") => sse(&events()),
        _ if request.contains("count-tokens:rawPredict") => {
            answer("200 OK", "", r#"{"input_tokens":7}"#)
        }
        _ if request.contains("rawPredict") => answer("200 OK", "", &message()),
        _ if request.contains("endpoints/openapi") => answer(
            "200 OK",
            "",
            r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Good day"},"finish_reason":"stop"}]}"#,
        ),
        _ => answer(
            "200 OK",
            "",
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Good day"}]},"finishReason":"STOP"}]}"#,
        ),
    });
    let metadata = Listener::answering(|_| {
        answer(
            "200 OK",
            "",
            r#"{"access_token":"google-token-not-a-secret","expires_in":3600,"token_type":"Bearer"}"#,
        )
    });
    let environment = [("GCE_METADATA_HOST", metadata.address.to_string())];
    let row = format!(
        "  vertex: {{ kind: vertex, project: my-project, location: us-east5, base_url: \"http://{}\" }}",
        provider.address
    );
    let site = with_provider(&environment, &row);
    for caller in DIALECTS {
        for (model, path) in [
            ("gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash:generateContent"),
            ("claude-3@2024", "publishers/anthropic/models/claude-3@2024:rawPredict"),
            ("meta/llama", "endpoints/openapi/chat/completions"),
        ] {
            // A slash in a model of a path is written as it is escaped.
            let named = if caller.name == "gemini-generate" {
                model.replace('/', "%2F")
            } else {
                model.into()
            };
            let reply = site.call(caller, &format!("vertex/{named}"), false);
            assert_eq!(reply.status, 200, "{} {model}: {}", caller.name, reply.body);
            assert!(reply.body.contains("Good day"), "{}", reply.body);
            let request = provider.received().pop().unwrap();
            let line = request.lines().next().unwrap();
            let place = "/v1/projects/my-project/locations/us-east5/";
            assert_eq!(line, format!("POST {place}{path} HTTP/1.1"), "{}", caller.name);
            assert!(
                request.contains("authorization: Bearer google-token-not-a-secret\r\n"),
                "{request}"
            );
            let body: Value =
                serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
            match model {
                "claude-3@2024" => {
                    assert_eq!(body["anthropic_version"], "vertex-2023-10-16");
                    assert_eq!(body.get("model"), None);
                }
                "meta/llama" => assert_eq!(body["model"], "meta/llama"),
                _ => assert_eq!(body["contents"][0]["role"], "user"),
            }
        }
    }
    let streamed = site.post("/v1/messages", CALLER, &ask("vertex/claude-3@2024", true));
    assert!(
        streamed.body.ends_with(
            &sse(&events())[1].iter().map(|b| char::from(*b)).collect::<String>()[400..]
        )
    );
    let count = r#"{"model":"vertex/claude-3@2024","messages":[{"role":"user","content":"Hi"}]}"#;
    let counted = site.post("/v1/messages/count_tokens", CALLER, count);
    assert_eq!(counted.body, r#"{"input_tokens":7}"#);
    let request = provider.received().pop().unwrap();
    assert!(request.contains("/publishers/anthropic/models/count-tokens:rawPredict"), "{request}");
    assert!(request.contains("\"claude-3@2024\""), "{request}");
}

#[test]
fn vertexs_and_azures_own_paths_are_understood() {
    let site = Site::start();
    let key = "authorization: Bearer tg-test-key-not-a-secret\r\n";
    for version in ["v1", "v1beta1"] {
        let path = format!(
            "/{version}/projects/p/locations/l/publishers/google/models/generate%2Fhello:generateContent"
        );
        let reply =
            site.post(&path, key, r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#);
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert!(reply.json()["candidates"].is_array());
    }
    let place = "/v1/projects/p/locations/l/publishers/anthropic/models";
    let body = r#"{"anthropic_version":"vertex-2023-10-16","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#;
    let reply = site.post(&format!("{place}/messages%2Fhello:rawPredict"), key, body);
    assert_eq!(reply.json()["type"], "message", "{}", reply.body);
    let reply = site.post(&format!("{place}/messages%2Fhello:streamRawPredict"), key, body);
    assert!(reply.body.contains("event: message_stop"), "{}", reply.body);
    let key = "api-key: tg-test-key-not-a-secret\r\n";
    let body = r#"{"messages":[{"role":"user","content":"Hi"}]}"#;
    for path in [
        "/openai/deployments/chat%2Fhello/chat/completions?api-version=2024-10-21",
        "/openai/v1/chat/completions",
    ] {
        let named = body.replacen('{', r#"{"model":"chat/hello","#, 1);
        let body = if path.contains("deployments") { body } else { named.as_str() };
        let reply = site.post(path, key, body);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        assert_eq!(reply.header("x-tollgate-loss"), None, "{path}");
        assert_eq!(reply.json()["object"], "chat.completion");
    }
    let refused = site.post("/openai/deployments/nobody/chat/completions", key, body);
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (404, &json!("model_not_found"))
    );
}

#[test]
fn azure_is_asked_at_a_deployment_or_under_v1() {
    let provider = Listener::answering(|_| {
        answer(
            "400 Bad Request",
            "apim-request-id: apim-1\r\n",
            r#"{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}"#,
        )
    });
    let row = |name: &str, more: &str| {
        format!(
            "  {name}: {{ kind: azure-openai, base_url: \"http://{}\", api_key: \"${{env:PROVIDER_KEY}}\"{more} }}",
            provider.address
        )
    };
    let rows = [row("old", ", api_version: 2024-10-21"), row("new", "")].join("\n");
    let site = with_provider(&[], &rows);
    for (name, line) in [
        ("old", "POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21 HTTP/1.1"),
        ("new", "POST /openai/v1/chat/completions HTTP/1.1"),
    ] {
        let reply = site.call(DIALECTS[0], &format!("{name}/gpt-4o"), false);
        assert_eq!(reply.status, 400, "{}", reply.body);
        let error = &reply.json()["error"];
        assert_eq!((&error["code"], &error["param"]), (&json!("content_filter"), &json!("prompt")));
        let found = &error["innererror"]["content_filter_result"]["hate"];
        assert_eq!(found, &json!({"filtered": true, "severity": "high"}));
        let request = provider.received().pop().unwrap();
        assert_eq!(request.lines().next().unwrap(), line);
        assert!(request.contains("api-key: sk-provider-key-not-a-secret\r\n"), "{request}");
        assert!(!request.contains("authorization:"), "{request}");
    }
    // The shape of the other dialects.
    let reply = site.call(DIALECTS[1], "new/gpt-4o", false);
    assert_eq!(reply.json()["type"], "error", "{}", reply.body);
}

/// A strict peer that was written apart from the gateway: it verifies signatures, and refuses what
/// the cloud itself would.
#[test]
fn the_simulated_clouds_take_what_every_caller_sends() {
    let metadata = Listener::answering(|_| {
        let token = json!({"access_token": "t-1", "expires_in": 3600, "token_type": "Bearer"});
        answer("200 OK", "", &token.to_string())
    });
    let environment = [
        ("GCE_METADATA_HOST", metadata.address.to_string()),
        ("KEY_ID", "AKIDTOLLGATESIMULATE".to_owned()),
        ("KEY_SECRET", "not-a-secret/of-the-simulated-bedrock".to_owned()),
    ];
    let site = Site::surrounded(&environment, |text| {
        let (_, rest) = text.split_once("base_url: \"").unwrap();
        let at = rest.split_once("/v1\"").unwrap().0;
        let keys = "credentials: { access_key_id: \"${env:KEY_ID}\", secret_access_key: \"${env:KEY_SECRET}\" }";
        let rows = format!(
            "  bedrock: {{ kind: bedrock, region: eu-west-1, base_url: \"{at}\", {keys} }}
  invoke: {{ kind: bedrock, region: eu-west-1, base_url: \"{at}\", dialect: anthropic-messages, {keys} }}
  azure: {{ kind: azure-openai, base_url: \"{at}\", api_key: \"${{env:PROVIDER_KEY}}\" }}
  older: {{ kind: azure-openai, base_url: \"{at}\", api_version: 2024-10-21, api_key: \"${{env:PROVIDER_KEY}}\" }}
  vertex: {{ kind: vertex, project: p, location: l, base_url: \"{at}\" }}
"
        );
        text.replacen("teams:", &format!("{rows}teams:"), 1)
    });
    let claude = CLAUDE.replace(':', "%3A");
    for caller in DIALECTS {
        for (provider, model) in [
            ("bedrock", CLAUDE),
            ("invoke", CLAUDE),
            ("azure", "gpt-4o"),
            ("older", "gpt-4o"),
            ("vertex", "gemini-2.5-flash"),
            ("vertex", "claude-sonnet-4-5@20250929"),
        ] {
            for stream in [false, true] {
                let named = match caller.name {
                    "gemini-generate" => model.replace(CLAUDE, &claude),
                    _ => model.to_owned(),
                };
                let reply = site.call(caller, &format!("{provider}/{named}"), stream);
                let of = format!("{} -> {provider}/{model}, {stream}", caller.name);
                assert_eq!(reply.status, 200, "{of}: {}", reply.body);
                assert!(stream || reply.body.contains("You said"), "{of}: {}", reply.body);
                assert!(!stream || caller.ends_cleanly(&reply.body), "{of}: {}", reply.body);
            }
        }
    }
}
