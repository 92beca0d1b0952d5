//! Files, batches and whatever else a provider offers: passed on as they are, to their owners only.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::sink::{BOUNDARY, Form};
use super::site::{KEY, PROVIDER_KEY, Reply, Site, exchange};

/// Two teams: one may use everything, the other all of one provider and one model of it by name.
const TEAMS: &str = "teams: { tests: {}, others: {}, few: { models: [\"chat/hello\"] } }\n";

/// Of batches, two models at two prices: dollars for a million tokens.
const PRICES: &str = "prices:\n  - { models: \"chat/hello\", tier: batch, input: 1000, output: 2000 }\n  - { models: \"chat/other\", tier: batch, input: 30000, output: 70000 }\n";

fn site() -> Site {
    Site::adapted("", |text| {
        let key = "others: { team: others, secret: \"${env:PROVIDER_KEY}\" }";
        text.replace("teams: { tests: {} }\n", TEAMS)
            .replace("keys: { ", &format!("keys: {{ {key}, "))
            + "models: { cheap: { targets: [ { to: chat/hello } ] } }\n"
            + PRICES
    })
}

fn call(site: &Site, key: &str, method: &str, path: &str, body: Option<(&str, &[u8])>) -> Reply {
    let (content_type, body) = body.unwrap_or_default();
    let about = match content_type {
        "" => String::new(),
        media => format!("content-type: {media}\r\n"),
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\nconnection: close\r\n{about}content-length: {}\r\n\r\n",
        body.len()
    );
    exchange(site.address, &[head.as_bytes(), body].concat()).expect("an answer")
}

fn upload(site: &Site, key: &str, path: &str, form: Form) -> Reply {
    let media = format!("multipart/form-data; boundary={BOUNDARY}");
    call(site, key, "POST", path, Some((&media, &form.done())))
}

fn json(site: &Site, key: &str, path: &str, body: &Value) -> Reply {
    call(site, key, "POST", path, Some(("application/json", body.to_string().as_bytes())))
}

fn id(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["id"].as_str().unwrap().to_owned()
}

fn notes() -> Form {
    Form::default().file("file", "notes.txt", b"some notes").field("purpose", "user_data")
}

#[test]
fn a_file_is_kept_listed_read_and_deleted() {
    let site = site();
    let file = id(&upload(&site, KEY, "/v1/files", notes()));
    let one = call(&site, KEY, "GET", &format!("/v1/files/{file}"), None);
    assert_eq!(one.json()["filename"], "notes.txt", "{}", one.body);
    let content = call(&site, KEY, "GET", &format!("/v1/files/{file}/content"), None);
    assert_eq!(content.body, "some notes");
    assert!(content.header("content-disposition").unwrap().contains("notes.txt"));
    let list = call(&site, KEY, "GET", "/v1/files?purpose=user_data", None);
    assert_eq!(list.json()["data"][0]["id"], file.as_str(), "{}", list.body);
    let deleted = call(&site, KEY, "DELETE", &format!("/v1/files/{file}"), None);
    assert_eq!(deleted.json()["deleted"], true, "{}", deleted.body);
    assert_eq!(call(&site, KEY, "GET", &format!("/v1/files/{file}"), None).status, 404);
}

#[test]
fn t25_another_teams_object_is_as_one_that_never_was() {
    let site = site();
    let file = id(&upload(&site, KEY, "/v1/files", notes()));
    let lines = r#"{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{"model":"cheap","messages":[{"role":"user","content":"hi"}]}}"#;
    let form = Form::default().field("purpose", "batch").file("file", "b.jsonl", lines.as_bytes());
    let input = id(&upload(&site, KEY, "/v1/files", form));
    let ask = serde_json::json!({"input_file_id": input, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let batch = id(&json(&site, KEY, "/v1/batches", &ask));
    let before = site.received().len();
    let mut told = Vec::new();
    for (method, path) in [
        ("GET", "/v1/files/ID"),
        ("GET", "/v1/files/ID/content"),
        ("DELETE", "/v1/files/ID"),
        ("GET", "/providers/chat/v1/files/ID"),
        ("GET", "/providers/chat/v1/files/ID/content"),
        ("DELETE", "/providers/chat/v1/files/ID"),
        ("GET", "/providers/chat/v1/%66iles/ID"),
        ("GET", "/providers/messages/v1/files/ID"),
        ("GET", "/v1/batches/BATCH"),
        ("POST", "/v1/batches/BATCH/cancel"),
        ("GET", "/providers/chat/v1/batches/BATCH"),
        ("POST", "/providers/chat/v1/batches/BATCH/cancel"),
    ] {
        let theirs = path.replace("ID", &file).replace("BATCH", &batch);
        let nobodys = path.replace("ID", "file-none").replace("BATCH", "batch_none");
        let (theirs, nobodys) = (
            call(&site, PROVIDER_KEY, method, &theirs, None),
            call(&site, PROVIDER_KEY, method, &nobodys, None),
        );
        assert_eq!((theirs.status, nobodys.status), (404, 404), "{method} {path}: {}", theirs.body);
        let same = |reply: &Reply, id: &str| {
            reply
                .body
                .replace(id, "ID")
                .replace(if id == file { &batch } else { "batch_none" }, "ID")
        };
        assert_eq!(same(&theirs, &file), same(&nobodys, "file-none"), "{method} {path}");
        told.push(theirs.body);
    }
    for path in ["/v1/batches", "/providers/chat/v1/batches"] {
        let reply = json(&site, PROVIDER_KEY, path, &ask);
        assert_eq!(reply.status, 404, "{path}: {}", reply.body);
    }
    let named = serde_json::json!({"model": "hello", "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": file}}]}]});
    for (path, model) in
        [("/providers/chat/v1/chat/completions", "hello"), ("/v1/chat/completions", "chat/hello")]
    {
        let mut named = named.clone();
        named["model"] = model.into();
        let reply = json(&site, PROVIDER_KEY, path, &named);
        assert_eq!(reply.status, 404, "{path}: {}", reply.body);
    }
    assert_eq!(site.received().len(), before, "no provider was asked");
    for path in
        ["/v1/files", "/v1/batches", "/providers/chat/v1/files", "/providers/chat/v1/batches"]
    {
        let list = call(&site, PROVIDER_KEY, "GET", path, None);
        assert_eq!(list.json()["data"], serde_json::json!([]), "{path}: {}", list.body);
    }
    assert!(told.iter().all(|body| !body.contains("tests")), "{told:?}");
}

#[test]
fn a_batch_is_worked_through_by_the_provider_that_holds_its_lines_and_booked_once() {
    let site = site();
    let line = |number: u32, model: &str| {
        format!(
            r#"{{"custom_id":"{number}","method":"POST","url":"/v1/chat/completions","body":{{"model":"{model}","messages":[{{"role":"user","content":"say 3 words"}}]}}}}"#
        )
    };
    let lines = format!("{}\n\n{}\n", line(1, "cheap"), line(2, "chat/other"));
    // The purpose may come first or last.
    for last in [false, true] {
        let form = Form::default();
        let form = if last { form } else { form.field("purpose", "batch") };
        let form = form.file("file", "lines.jsonl", lines.as_bytes());
        let form = if last { form.field("purpose", "batch") } else { form };
        let input = id(&upload(&site, KEY, "/v1/files", form));
        let kept = call(&site, KEY, "GET", &format!("/v1/files/{input}/content"), None);
        let renamed = format!("{}\n\n{}\n", line(1, "hello"), line(2, "other"));
        assert_eq!(kept.body, renamed, "models have their names there");
        let ask = serde_json::json!({"input_file_id": input, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
        let batch = id(&json(&site, KEY, "/v1/batches", &ask));
        let path = format!("/v1/batches/{batch}");
        call(&site, KEY, "GET", &path, None);
        let done = call(&site, KEY, "GET", &path, None).json();
        assert_eq!(done["status"], "completed", "{done}");
        let output = format!("/v1/files/{}/content", done["output_file_id"].as_str().unwrap());
        assert_eq!(call(&site, PROVIDER_KEY, "GET", &output, None).status, 404);
        let first = call(&site, KEY, "GET", &output, None);
        assert_eq!(first.body.lines().count(), 2, "{}", first.body);
        let told = booked(&site, &first);
        let each: Value = serde_json::from_str(first.body.lines().next().unwrap()).unwrap();
        let used = each["response"]["body"]["usage"]["completion_tokens"].as_u64().unwrap();
        assert_eq!(told["gen_ai.usage.output_tokens"], 2 * used, "{told}");
        // Each line at its own model's price for batches.
        let cost: u64 = (first.body.lines().zip([(1000, 2000), (30_000, 70_000)]))
            .map(|(line, (input, output))| {
                let line: Value = serde_json::from_str(line).unwrap();
                let usage = &line["response"]["body"]["usage"];
                let figure = |name: &str| usage[name].as_u64().unwrap();
                figure("prompt_tokens") * input + figure("completion_tokens") * output
            })
            .sum();
        assert_eq!(told["tollgate.cost.micro_usd"], cost, "{told}");
        let second = call(&site, KEY, "GET", &output, None);
        assert_eq!(second.body, first.body);
        let told = booked(&site, &second);
        assert_eq!(told["gen_ai.usage.output_tokens"], Value::Null, "{told}");
        assert_eq!(told["tollgate.cost.micro_usd"], Value::Null, "{told}");
    }
}

#[test]
fn a_batch_that_is_read_by_many_at_once_or_in_pieces_is_booked_once() {
    let site = site();
    let lines = r#"{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{"model":"cheap","messages":[{"role":"user","content":"say 3 words"}]}}"#;
    let form = Form::default().field("purpose", "batch").file("file", "b.jsonl", lines.as_bytes());
    let input = id(&upload(&site, KEY, "/v1/files", form));
    let ask = serde_json::json!({"input_file_id": input, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let path = format!("/v1/batches/{}", id(&json(&site, KEY, "/v1/batches", &ask)));
    call(&site, KEY, "GET", &path, None);
    let done = call(&site, KEY, "GET", &path, None).json();
    let output = format!("/v1/files/{}/content", done["output_file_id"].as_str().unwrap());
    let piece = format!(
        "GET {output} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\nrange: bytes=0-9\r\nconnection: close\r\n\r\n"
    );
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let all = (0..8).map(|_| scope.spawn(|| exchange(site.address, piece.as_bytes()).unwrap()));
        let all: Vec<_> = all.collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let used = |reply: &Reply| booked(&site, reply)["gen_ai.usage.output_tokens"].as_u64();
    let booked: Vec<u64> = replies.iter().filter_map(used).collect();
    let each: Value = serde_json::from_str(&replies[0].body).unwrap();
    let said = each["response"]["body"]["usage"]["completion_tokens"].as_u64().unwrap();
    assert_eq!(booked, [said], "of {} readers one is booked", replies.len());
    // A piece is asked for as one once nothing is to be booked any more.
    let asked =
        |received: &Value| received["path"] == output && received.to_string().contains("bytes=0-9");
    assert!(!site.received().iter().any(asked), "{:?}", site.received().last());
    exchange(site.address, piece.as_bytes()).unwrap();
    assert!(site.received().iter().any(asked), "{:?}", site.received().last());
}

/// As Anthropic's callers call.
fn message(site: &Site, key: &str, method: &str, path: &str, body: &str) -> Reply {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: gateway\r\nx-api-key: {key}\r\nanthropic-version: 2023-06-01\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(site.address, head.as_bytes()).expect("an answer")
}

fn lines_of_messages(models: &[&str]) -> String {
    let line = |(number, model): (usize, &&str)| {
        let tool = serde_json::json!({"name": "read", "input_schema": {"type": "object",
            "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]}});
        serde_json::json!({"custom_id": format!("line-{number}"), "params": {
            "max_tokens": 50, "model": model, "tools": [tool],
            "messages": [{"role": "user", "content": "say 3 words"}]}})
    };
    let lines: Vec<Value> = models.iter().enumerate().map(line).collect();
    serde_json::json!({"requests": lines}).to_string()
}

#[test]
fn a_batch_of_messages_is_read_line_by_line_kept_for_its_owner_and_booked_once() {
    let site = site();
    let path = "/v1/messages/batches";
    let lines = lines_of_messages(&["messages/hello", "messages/other"]);
    let made = message(&site, KEY, "POST", path, &lines);
    let batch = id(&made);
    let sent = site.received().pop().unwrap();
    let models = |at: usize| sent["body"]["requests"][at]["params"]["model"].clone();
    assert_eq!((models(0), models(1)), ("hello".into(), "other".into()), "{sent}");
    let one = format!("{path}/{batch}");
    let results = format!("{one}/results");
    assert_eq!(message(&site, KEY, "GET", &results, "").status, 404, "not yet");
    message(&site, KEY, "GET", &one, "");
    let ended = message(&site, KEY, "GET", &one, "").json();
    assert_eq!(ended["processing_status"], "ended", "{ended}");
    // An SDK goes where it is told, with its key: that is here.
    assert_eq!(ended["results_url"], results.as_str(), "{ended}");
    let list = message(&site, KEY, "GET", path, "").json();
    assert_eq!(list["data"][0]["results_url"], results.as_str(), "{list}");
    let before = site.received().len();
    for (method, path) in [
        ("GET", one.clone()),
        ("GET", results.clone()),
        ("POST", format!("{one}/cancel")),
        ("DELETE", one.clone()),
        ("GET", format!("/providers/messages{results}")),
    ] {
        let reply = message(&site, PROVIDER_KEY, method, &path, "");
        assert_eq!((reply.status, reply.json()["type"].as_str()), (404, Some("error")), "{path}");
    }
    assert_eq!(site.received().len(), before, "no provider was asked");
    let theirs = message(&site, PROVIDER_KEY, "GET", path, "").json();
    assert_eq!((&theirs["data"], &theirs["first_id"]), (&serde_json::json!([]), &Value::Null));
    let first = message(&site, KEY, "GET", &results, "");
    let each: Value = serde_json::from_str(first.body.lines().next().unwrap()).unwrap();
    let used = each["result"]["message"]["usage"]["output_tokens"].as_u64().unwrap();
    let told = booked(&site, &first);
    assert_eq!(told["gen_ai.usage.output_tokens"], 2 * used, "{told}");
    assert_eq!(told["gen_ai.response.model"], "other", "{told}");
    let again = message(&site, KEY, "GET", &format!("/providers/messages{results}"), "");
    assert_eq!(again.body, first.body);
    let told = booked(&site, &again);
    assert_eq!(told["gen_ai.usage.output_tokens"], Value::Null, "{told}");
    assert_eq!(message(&site, KEY, "DELETE", &one, "").status, 200);
    assert_eq!(message(&site, KEY, "GET", &one, "").status, 404);
}

#[test]
fn a_batch_of_messages_that_its_caller_may_not_ask_for_is_refused_with_its_line() {
    let site = Site::adapted("", |text| {
        let models = "teams: { tests: { models: [\"messages/hello\", \"chat/hello\"] } }\n";
        text.replace("teams: { tests: {} }\n", models)
    });
    for (models, code) in [
        (["messages/hello", "messages/secret"], "model_not_allowed"),
        (["messages/hello", "chat/hello"], "invalid_request"),
    ] {
        let reply =
            message(&site, KEY, "POST", "/v1/messages/batches", &lines_of_messages(&models));
        assert!(matches!(reply.status, 400 | 403), "{}", reply.body);
        assert!(reply.body.contains("Line 2 of the batch"), "{code}: {}", reply.body);
    }
    for body in ["{}", r#"{"requests": {}}"#, r#"{"requests": [{"custom_id": "a"}]}"#] {
        let reply = message(&site, KEY, "POST", "/v1/messages/batches", body);
        assert_eq!(reply.status, 400, "{body}: {}", reply.body);
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error", "{}", reply.body);
    }
    // A provider that has no such batches.
    let reply =
        message(&site, KEY, "POST", "/v1/messages/batches", &lines_of_messages(&["chat/hello"]));
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert!(site.received().is_empty(), "nothing left for a provider");
}

/// The record of a call, once it is written.
fn booked(site: &Site, reply: &Reply) -> Value {
    let id = reply.header("x-request-id").unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        if let Some(line) = site.log().lines().find(|line| line.contains(id)) {
            return serde_json::from_str(line).unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no record of {id}");
}

#[test]
fn a_line_that_its_caller_may_not_ask_for_refuses_the_file() {
    let site = Site::adapted("", |text| {
        text.replace("teams: { tests: {} }\n", "teams: { tests: { models: [\"chat/hello\"] } }\n")
    });
    let line = |model: &str| format!(r#"{{"custom_id":"1","body":{{"model":"{model}"}}}}"#);
    for (lines, code) in [
        (format!("{}\n{}", line("chat/hello"), line("chat/secret")), "model_not_allowed"),
        (format!("{}\n{}", line("hello"), line("messages/hello")), "invalid_request"),
        ("{}\n".to_owned(), "invalid_request"),
    ] {
        let form =
            Form::default().file("file", "b.jsonl", lines.as_bytes()).field("purpose", "batch");
        let reply = upload(&site, KEY, "/v1/files", form);
        assert!(matches!(reply.status, 400 | 403), "{}", reply.body);
        assert!(reply.body.contains("Line "), "{}", reply.body);
        assert_eq!(reply.json()["error"]["code"], code, "{}", reply.body);
    }
    assert!(site.received().is_empty(), "nothing left for the provider");
    // All of a provider is more than one model of it.
    let reply = call(&site, KEY, "GET", "/providers/chat/v1/models", None);
    assert_eq!(reply.status, 403, "{}", reply.body);
}

#[test]
fn whatever_a_provider_offers_is_passed_on_read_along_and_booked() {
    let site = site();
    let reply = call(&site, KEY, "GET", "/providers/chat/v1/models?limit=3&key=secret", None);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let seen = site.received().pop().unwrap();
    assert_eq!(
        (seen["path"].as_str(), seen["query"].as_str()),
        (Some("/v1/models"), Some("limit=3"))
    );
    assert!(seen.to_string().contains(PROVIDER_KEY) && !seen.to_string().contains(KEY), "{seen}");
    for (path, stream, body) in [
        (
            "/providers/chat/v1/chat/completions",
            false,
            r#"{"model":"hello","messages":[{"role":"user","content":"hi"}]}"#,
        ),
        (
            "/providers/chat/v1/chat/completions",
            true,
            r#"{"model":"hello","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}"#,
        ),
        (
            "/providers/messages/v1/messages",
            false,
            r#"{"model":"hello","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#,
        ),
        (
            "/providers/messages/v1/messages",
            true,
            r#"{"model":"hello","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#,
        ),
        (
            "/providers/generate/v1beta/models/hello:generateContent",
            false,
            r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
        ),
    ] {
        let value: Value = serde_json::from_str(body).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\nanthropic-version: 2023-06-01\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let reply = exchange(site.address, head.as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let told = booked(&site, &reply);
        assert!(told["gen_ai.usage.output_tokens"].as_u64() > Some(0), "{path} {stream}: {told}");
        assert_eq!(told["gen_ai.operation.name"], "passthrough");
        let seen = site.received().pop().unwrap();
        assert_eq!(seen["body"], value, "{path}");
    }
    for path in [
        "/providers/chat/../v1/models",
        "/providers/chat/v1/%2e%2e/x",
        "/providers/chat//x/y",
        "/providers/chat/v1/..%2f..%2fx",
    ] {
        let reply = call(&site, KEY, "GET", path, None);
        assert_eq!(reply.status, 400, "{path}: {}", reply.body);
    }
    assert_eq!(call(&site, KEY, "GET", "/providers/nobody/v1/models", None).status, 404);
    assert_eq!(call(&site, "wrong", "GET", "/providers/chat/v1/models", None).status, 401);
    let redirect = json(
        &site,
        KEY,
        "/providers/chat/v1/chat/completions",
        &serde_json::json!({"model": "fault-redirect-evil.test", "messages": [{"role": "user", "content": "x"}]}),
    );
    assert_eq!(redirect.json()["error"]["code"], "upstream_redirect", "{}", redirect.body);
}
