//! No secret is told to anybody: not by an answer, a log, a page, a metric or a file (T07–T12, T14).
//! Each test ends with the sweep of its site.
//!
//! Not here: limits and budgets of the gateway's own, guards, and an admin API that holds objects;
//! they come with their tests.

use super::super::site::{DIALECTS, KEY, PROVIDER_KEY, Site, get};
use super::bench::{Listener, Swept, answer, forms, spellings, with_provider};
use super::http2;

#[test]
fn t07_a_key_in_the_url_opens_nothing_and_is_not_written_down() {
    let site = Swept::new(Site::start());
    let coded: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for key in [KEY, &coded] {
        for caller in DIALECTS {
            let (path, body) = caller.call("chat/hello", false);
            for name in ["key", "api_key", "api-key", "access_token", "token", "x"] {
                let reply = site.post_as_nobody(&format!("{path}?{name}={key}"), "", &body);
                assert_eq!(reply.status, 401, "{name}: {}", reply.body);
            }
            let reply = site.post_as_nobody(&format!("/{key}{path}"), "", &body);
            assert_eq!(reply.status, 401, "{}", reply.body);
            let reply = site.post_as_nobody(&format!("{path}#{key}"), "", &body);
            assert!(matches!(reply.status, 400 | 401), "{}", reply.body);
            // With another key that opens: what the URL holds is still not written down.
            for query in [format!("key={key}"), format!("{key}=1"), key.to_owned()] {
                site.post(&format!("{path}?{query}"), "", &body);
            }
        }
    }
    assert!(site.log().contains("\"status_code\":401") || site.log().contains("401"));
    for call in site.received() {
        assert!(!call.to_string().contains(KEY), "{call}");
    }
}

#[test]
fn t08_no_key_stands_in_an_url_that_an_error_could_repeat() {
    let provider = Listener::answering(|request| {
        if request.contains("say nothing") {
            return Vec::new();
        }
        let line = request.lines().next().unwrap_or_default();
        let body = format!(
            r#"{{"error":{{"code":400,"message":"Cannot serve {line}","status":"INVALID_ARGUMENT"}}}}"#
        );
        answer("400 Bad Request", "", &body)
    });
    let site = Swept::new(Site::adapted("", |text| {
        with_provider(&text, "far", "gemini-generate", provider.address)
    }));
    for caller in DIALECTS {
        for stream in [false, true] {
            let reply = site.call(caller, "far/m", stream);
            assert_eq!(reply.status, 400, "{}", reply.body);
            let (path, body) = caller.call("far/m", stream);
            let reply = site.post(&path, "", &body.replace("Say a few words.", "say nothing"));
            assert_eq!(reply.status, 502, "{}", reply.body);
            let log = site.log();
            assert!(!log.contains("generateContent") && !log.contains("alt=sse"), "{log}");
        }
    }
    let received = provider.received();
    assert!(received.len() >= 12);
    for request in received {
        let line = request.lines().next().unwrap();
        assert!(forms(PROVIDER_KEY).iter().all(|form| !line.contains(form)), "{line}");
        assert!(request.contains(&format!("x-goog-api-key: {PROVIDER_KEY}\r\n")), "{request}");
    }
}

/// An error of each dialect that repeats a text wherever it can.
fn error(dialect: &str, status: u16, text: &str) -> String {
    match dialect {
        "openai-chat" => format!(
            r#"{{"error":{{"message":"Wrong: {text}","type":"{text}","code":"{text}","param":"{text}"}}}}"#
        ),
        "anthropic-messages" => format!(
            r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"Wrong: {text}"}},"request_id":"{text}"}}"#
        ),
        _ => format!(
            r#"{{"error":{{"code":{status},"message":"Wrong: {text}","status":"INVALID_ARGUMENT","details":[{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{text}"}}]}}}}"#
        ),
    }
}

#[test]
fn t09_a_provider_that_repeats_the_key_is_not_repeated() {
    let provider = Listener::answering(|request| {
        let dialect = DIALECTS.iter().find(|d| request.contains(&format!("as-{}", d.name)));
        let dialect = dialect.map_or("openai-chat", |dialect| dialect.name);
        let number = |word: &str| -> Option<usize> {
            let rest = request.split_once(word)?.1;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        let text = spellings(PROVIDER_KEY)[number("form-").unwrap_or(0)].clone();
        match number("status-").unwrap_or(200) {
            // Inside a stream that has begun.
            200 => {
                let begun = match dialect {
                    "openai-chat" => {
                        r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"so "}}]}"#
                    }
                    "anthropic-messages" => {
                        r#"{"type":"message_start","message":{"id":"c","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}"#
                    }
                    _ => {
                        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"so "}]},"index":0}],"modelVersion":"m"}"#
                    }
                };
                let error = error(dialect, 500, &text);
                let event = if dialect == "anthropic-messages" {
                    format!(
                        "event: message_start\ndata: {begun}\n\nevent: error\ndata: {error}\n\n"
                    )
                } else {
                    format!("data: {begun}\n\ndata: {error}\n\n")
                };
                vec![format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{event}").into_bytes()]
            }
            status => {
                let status = u16::try_from(status).unwrap();
                let headers = format!("www-authenticate: Bearer {text}\r\nx-request-id: 1\r\n");
                answer(&format!("{status} No"), &headers, &error(dialect, status, &text))
            }
        }
    });
    let site = Swept::new(Site::adapted("", |text| {
        DIALECTS.iter().fold(text, |text, dialect| {
            with_provider(
                &text,
                &format!("as-{}", dialect.provider),
                dialect.name,
                provider.address,
            )
        })
    }));
    for caller in DIALECTS {
        for to in DIALECTS {
            for form in 0..spellings(PROVIDER_KEY).len() {
                for status in [400, 401, 403, 404, 422, 429, 500, 503] {
                    let model =
                        format!("as-{}/as-{}-form-{form}-status-{status}", to.provider, to.name);
                    let reply = site.call(caller, &model, form % 2 == 0);
                    assert!(reply.status >= 400, "{model}: {} {}", reply.status, reply.body);
                    assert!(caller.is_error(&reply.json()), "{}", reply.body);
                }
                let model = format!("as-{}/as-{}-form-{form}", to.provider, to.name);
                let reply = site.call(caller, &model, true);
                assert_eq!(reply.status, 200, "{model}: {}", reply.body);
                assert!(reply.body.contains("error"), "{model}: {}", reply.body);
            }
        }
    }
}

#[test]
fn t10_a_limit_that_is_reached_names_no_key_and_no_team() {
    let site = Swept::new(Site::start());
    for caller in DIALECTS {
        for provider in DIALECTS {
            for fault in ["fault-429", "fault-429-quota", "fault-429-no-retry-after"] {
                let reply = site.call(caller, &format!("{}/{fault}", provider.provider), false);
                assert_eq!(reply.status, 429, "{}", reply.body);
                // Both are called `tests` here.
                assert!(!(reply.head + &reply.body).contains("tests"));
            }
        }
    }
}

#[test]
fn t11_a_wrong_key_is_not_written_down() {
    let wrong = "tg-wrong-key-of-somebody-else";
    let site = Swept::new(Site::start());
    for caller in DIALECTS {
        let (path, body) = caller.call("chat/hello", false);
        for header in [
            format!("authorization: Bearer {wrong}\r\n"),
            format!("authorization: bearer  {wrong}\r\n"),
            format!("authorization: Basic {wrong}\r\n"),
            format!("authorization: {wrong}\r\n"),
            format!("x-api-key: {wrong}\r\n"),
            format!("api-key: {wrong}\r\n"),
            format!("x-goog-api-key: {wrong}\r\n"),
            format!("authorization: Bearer {wrong}\r\nauthorization: Bearer {KEY}\r\n"),
            format!("x-api-key: {KEY}{KEY}\r\n"),
            format!("x-api-key: {}\r\n", wrong.repeat(100)),
        ] {
            let reply = site.post_as_nobody(&path, &header, &body);
            assert_eq!(reply.status, 401, "{header}: {}", reply.body);
            assert!(caller.is_error(&reply.json()));
            for form in forms(wrong) {
                assert!(!(reply.head.clone() + &reply.body).contains(&form), "{form}");
            }
        }
    }
    let log = site.log();
    for form in forms(wrong) {
        assert!(!log.contains(&form), "{form} in {log}");
    }
    assert_eq!(site.received().len(), 0);
}

#[test]
fn t12_the_most_talkative_log_holds_no_secret() {
    let site = Swept::new(Site::loud(
        "models:\n  both: { targets: [{ to: chat/fault-500 }, { to: messages/hello }] }\n",
    ));
    let models = [
        "both",
        "chat/hello",
        "messages/hello",
        "generate/hello",
        "chat/fault-401",
        "messages/fault-reset",
        "generate/fault-cut",
        "chat/fault-redirect",
        "chat/fault-html",
    ];
    for caller in DIALECTS {
        for model in models {
            for stream in [false, true] {
                site.call(caller, model, stream);
            }
            let (path, body) = caller.call(model, false);
            let answer = http2::call(
                site.address,
                &path,
                &[("authorization", &format!("Bearer {KEY}"))],
                &body,
            );
            assert!(answer.is_some(), "{model}");
        }
        let (path, body) = caller.call("chat/hello", false);
        site.post_as_nobody(&path, "x-api-key: tg-wrong\r\n", &body);
    }
    let log = site.log();
    assert!(log.contains("TRACE"), "{log}");
    assert!(!log.contains("Say a few words"), "content is not logged either");
}

#[test]
fn t14_no_page_shows_a_secret_and_the_data_port_shows_no_page() {
    let site = Swept::new(Site::start());
    for path in ["/", "/metrics", "/readyz", "/healthz"] {
        let page = get(site.admin, path).unwrap();
        assert_eq!(page.status, 200, "{path}");
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            );
            let reply = super::super::site::exchange(site.admin, request.as_bytes()).unwrap();
            assert_eq!(reply.status, 405, "{method} {path}");
        }
    }
    for path in ["/metrics", "/readyz", "/healthz", "/api/v1/keys", "/config", "/debug/pprof"] {
        for key in ["", &format!("authorization: Bearer {KEY}\r\n")] {
            let request =
                format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{key}\r\n");
            let reply = site.exchange(request.as_bytes()).unwrap();
            assert!(matches!(reply.status, 401 | 404), "{path}: {}", reply.status);
        }
    }
    for path in
        ["/config", "/api/v1/keys", "/debug", "/..%2f..%2fetc%2fpasswd", "/../tollgate.yaml"]
    {
        assert!(matches!(get(site.admin, path).unwrap().status, 400 | 404), "{path}");
    }
}
