//! The clouds' own paths lead to the same scripts, wrapped and worded as the clouds do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_simulate::{Request, Script, Simulator};

fn ask(path: &str, body: &Value) -> Script {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Simulator::new().answer(&Request {
        method: "POST".into(),
        path: path.into(),
        query: query.into(),
        headers: vec![("authorization".into(), "Bearer k".into())],
        body: Bytes::from(body.to_string()),
    })
}

fn told(path: &str, body: &Value) -> (u16, Value) {
    let script = ask(path, body);
    (script.status, serde_json::from_slice(&script.sent()).unwrap_or_default())
}

fn claude(version: &str) -> Value {
    json!({"anthropic_version": version, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]})
}

#[test]
fn claude_on_bedrock_streams_in_chunks() {
    let body = claude("bedrock-2023-05-31");
    let at = "/model/us.anthropic.claude-test-v1%3A0";
    let (status, whole) = told(&format!("{at}/invoke"), &body);
    assert_eq!((status, &whole["type"]), (200, &json!("message")));
    let streamed = ask(&format!("{at}/invoke-with-response-stream"), &body).sent();
    let text = String::from_utf8_lossy(&streamed).into_owned();
    let chunks: Vec<Value> = text
        .match_indices("{\"bytes\":\"")
        .map(|(from, found)| {
            let rest = &text[from + found.len()..];
            let bytes = STANDARD.decode(&rest[..rest.find('"').unwrap()]).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        })
        .collect();
    assert_eq!(chunks[0]["type"], "message_start");
    assert_eq!(chunks[chunks.len() - 1]["type"], "message_stop");
    let mut wrong = body.clone();
    wrong["model"] = json!("claude");
    let (status, refused) = told(&format!("{at}/invoke"), &wrong);
    assert_eq!(
        (status, &refused["message"]),
        (400, &json!("model: Extra inputs are not permitted"))
    );
    assert_eq!(told(&format!("{at}/invoke"), &claude("2023-06-01")).0, 400);
}

#[test]
fn claude_on_vertex_is_named_in_the_path() {
    let at = "/v1/projects/p/locations/l/publishers/anthropic/models";
    let mut body = claude("vertex-2023-10-16");
    let (status, whole) = told(&format!("{at}/claude-test:rawPredict"), &body);
    assert_eq!((status, &whole["model"]), (200, &json!("claude-test")));
    body["stream"] = json!(true);
    let streamed = ask(&format!("{at}/claude-test:streamRawPredict"), &body).sent();
    assert!(String::from_utf8(streamed).unwrap().contains("event: message_stop"));
    let count = json!({"anthropic_version": "vertex-2023-10-16", "model": "claude-test", "messages": body["messages"]});
    assert_eq!(told(&format!("{at}/count-tokens:rawPredict"), &count).1["input_tokens"], 4);
    let (status, refused) = told(&format!("{at}/claude-test:rawPredict"), &claude("x"));
    assert_eq!((status, &refused["error"]["type"]), (400, &json!("invalid_request_error")));
}

#[test]
fn azure_names_the_deployment_and_filters() {
    let body = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let at = "/openai/deployments/gpt-test/chat/completions";
    let (status, whole) = told(&format!("{at}?api-version=2024-10-21"), &body);
    assert_eq!((status, &whole["model"]), (200, &json!("gpt-test")));
    assert_eq!(whole["choices"][0]["content_filter_results"]["hate"]["filtered"], false);
    let (status, refused) = told(at, &body);
    assert_eq!((status, &refused["error"]["code"]), (404, &json!("404")));
    let mut streamed = body.clone();
    streamed["stream"] = json!(true);
    let text = ask(&format!("{at}?api-version=1"), &streamed).sent();
    assert!(text.starts_with(b"data: {\"choices\":[],"));
    let limited = "/openai/deployments/fault-429/chat/completions?api-version=1";
    let (status, refused) = told(limited, &body);
    assert_eq!((status, &refused["error"]["code"]), (429, &json!("429")));
    let (status, vectors) =
        told("/openai/deployments/e/embeddings?api-version=1", &json!({"input": "a"}));
    assert_eq!((status, vectors["data"].as_array().unwrap().len()), (200, 1));
    assert_eq!(
        told("/openai/v1/chat/completions", &json!({"model": "m", "messages": body["messages"]})).0,
        200
    );
}
