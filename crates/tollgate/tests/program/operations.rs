//! The operations beside chat: they travel as they are, whatever their bytes, and nothing of them
//! is held that need not be.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::sink::{BOUNDARY, Form, Manner, hash, sink};
use super::site::{KEY, Reply, Site, exchange};

const NAMES: &str = "models:\n  hear: { targets: [ { to: chat/whisper-1 } ] }\n  speak: { targets: [ { to: chat/tts-1 } ] }\n  draw: { targets: [ { to: chat/gpt-image-1 } ] }\n  judge: { targets: [ { to: chat/omni-moderation-latest } ] }\n  dall-e-2: { targets: [ { to: chat/dall-e-2-there } ] }\n";

fn head(method: &str, path: &str, content_type: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\ncontent-type: {content_type}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    )
}

fn form_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

fn send_form(site: &Site, path: &str, form: Form) -> Reply {
    let body = form.done();
    let head = head("POST", path, &form_type(), body.len());
    exchange(site.address, &[head.as_bytes(), &body].concat()).expect("an answer")
}

fn send_json(site: &Site, path: &str, body: &str) -> Reply {
    site.post(path, &format!("authorization: Bearer {KEY}\r\n"), body)
}

/// The record of the last call, once it is written.
fn booked(site: &Site, request_id: &str) -> serde_json::Value {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        let log = site.log();
        if let Some(line) = log.lines().find(|line| line.contains(request_id)) {
            return serde_json::from_str(line).unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no record of {request_id}");
}

fn record(site: &Site, reply: &Reply) -> serde_json::Value {
    booked(site, reply.header("x-request-id").unwrap())
}

#[test]
fn a_recording_is_heard_wherever_its_form_names_the_model() {
    let site = Site::with(NAMES);
    let sound = vec![7; 100_000];
    let first = Form::default().field("model", "hear").file("file", "a.wav", &sound);
    let last = Form::default().file("file", "a.wav", &sound).field("model", "hear");
    for form in [first, last] {
        for path in ["/v1/audio/transcriptions", "/v1/audio/translations"] {
            let reply = send_form(&site, path, form.clone());
            assert_eq!(reply.status, 200, "{}", reply.body);
            assert!(
                reply.json()["text"].as_str().unwrap().contains("100000 bytes"),
                "{}",
                reply.body
            );
            assert_eq!(reply.header("x-tollgate-target"), Some("chat/whisper-1"));
            let record = record(&site, &reply);
            assert_eq!(record["tollgate.usage.input_audio_ms"], 4000, "{record}");
            assert_eq!(record["tollgate.lane"], "verbatim");
            assert!(record["request_bytes"].as_u64().unwrap() > 100_000, "{record}");
            assert_eq!(record["tollgate.left"], serde_json::Value::Null, "{record}");
        }
    }
    let received = site.received();
    assert_eq!(received.last().unwrap()["model"], "whisper-1");
}

#[test]
fn a_transcript_comes_in_each_format_as_the_provider_wrote_it() {
    let site = Site::with(NAMES);
    for (format, begins) in [
        ("text", "A recording"),
        ("srt", "1\n00:00"),
        ("vtt", "WEBVTT"),
        ("verbose_json", "{\"task\""),
    ] {
        let form = Form::default().field("model", "hear").field("response_format", format);
        let reply =
            send_form(&site, "/v1/audio/transcriptions", form.file("file", "a.wav", b"RIFF"));
        assert!(reply.body.starts_with(begins), "{}", reply.body);
        let media = reply.header("content-type").unwrap();
        assert_eq!(media.starts_with("text/plain"), format != "verbose_json", "{media}");
    }
    let form = Form::default().field("model", "chat/gpt-4o-transcribe").field("stream", "true");
    let reply = send_form(&site, "/v1/audio/transcriptions", form.file("file", "a.wav", b"RIFF"));
    assert!(reply.header("content-type").unwrap().starts_with("text/event-stream"));
    assert!(reply.body.contains("transcript.text.done"), "{}", reply.body);
    let record = record(&site, &reply);
    assert_eq!(record["gen_ai.usage.audio.input_tokens"], 10, "{record}");
}

#[test]
fn speech_is_passed_on_byte_for_byte_and_counted_in_letters() {
    let site = Site::with(NAMES);
    let ask = |model: &str, more: &str| {
        format!(r#"{{"model":"{model}","input":"Good mörning","voice":"alloy"{more}}}"#)
    };
    let reply = send_json(&site, "/v1/audio/speech", &ask("speak", ""));
    assert_eq!(reply.header("content-type"), Some("audio/mpeg"));
    let there = format!(
        "POST /v1/audio/speech HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{}",
        ask("tts-1", "").len(),
        ask("tts-1", "")
    );
    let straight = exchange(site.upstream, there.as_bytes()).unwrap();
    assert!(reply.body.len() > 500);
    assert_eq!(reply.body, straight.body);
    let record = record(&site, &reply);
    assert_eq!(record["tollgate.usage.input_characters"], 12, "{record}");
    let events = send_json(&site, "/v1/audio/speech", &ask("speak", r#","stream_format":"sse""#));
    assert!(events.body.contains("speech.audio.done"), "{}", events.body);
}

#[test]
fn bytes_that_break_off_are_never_taken_for_whole_ones() {
    let site = Site::with("");
    for fault in ["fault-cut-pace-20ms", "fault-reset-pace-20ms"] {
        let body =
            format!(r#"{{"model":"chat/{fault}","input":"{}","voice":"alloy"}}"#, "a".repeat(200));
        let head = head("POST", "/v1/audio/speech", "application/json", body.len());
        let mut socket = TcpStream::connect(site.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let _ = socket.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        assert!(!bytes.ends_with(b"0\r\n\r\n"), "{fault}: a clean end");
        let id = text.split("x-request-id: ").nth(1).unwrap().lines().next().unwrap();
        assert_eq!(booked(&site, id)["error.type"], "answer_broken");
    }
    // Events can say so.
    let body = r#"{"model":"chat/fault-cut","input":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","voice":"alloy","stream_format":"sse"}"#;
    let reply = send_json(&site, "/v1/audio/speech", body);
    assert!(reply.body.contains("\"error\""), "{}", reply.body);
}

#[test]
fn pictures_are_drawn_changed_and_varied() {
    let site = Site::with(NAMES);
    let reply =
        send_json(&site, "/v1/images/generations", r#"{"model":"draw","prompt":"a circle","n":2}"#);
    assert_eq!(reply.json()["data"].as_array().unwrap().len(), 2, "{}", reply.body);
    let told = record(&site, &reply);
    assert_eq!(told["tollgate.usage.output_images"], 2, "{told}");
    assert_eq!(told["gen_ai.usage.image.output_tokens"], 544);
    let stream = send_json(
        &site,
        "/v1/images/generations",
        r#"{"model":"draw","prompt":"a circle","stream":true,"partial_images":2}"#,
    );
    assert!(stream.body.contains("image_generation.partial_image"), "{}", stream.body);
    assert_eq!(record(&site, &stream)["gen_ai.usage.image.output_tokens"], 272);
    // Who names no model is given the vendor's usual one, under the name that it has here.
    for path in ["/v1/images/edits", "/v1/images/variations"] {
        let form = Form::default().field("prompt", "redder").file("image", "a.png", b"png");
        let reply = send_form(&site, path, form);
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.header("x-tollgate-target"), Some("chat/dall-e-2-there"));
        assert_eq!(site.received().last().unwrap()["model"], "dall-e-2-there");
    }
    let reply = send_json(
        &site,
        "/v1/images/generations",
        r#"{"model":"draw","prompt":"x","response_format":"url"}"#,
    );
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].as_str()),
        (400, Some("unknown_parameter"))
    );
}

#[test]
fn moderations_pass_and_what_is_not_offered_is_refused() {
    let site = Site::with(NAMES);
    let reply =
        send_json(&site, "/v1/moderations", r#"{"model":"judge","input":["harm","peace"]}"#);
    assert_eq!(reply.json()["results"][0]["flagged"], true, "{}", reply.body);
    let elsewhere = send_json(&site, "/v1/moderations", r#"{"model":"messages/m","input":"x"}"#);
    assert_eq!(elsewhere.json()["error"]["code"], "unsupported_operation", "{}", elsewhere.body);
    let realtime = format!(
        "GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    );
    let reply = exchange(site.address, realtime.as_bytes()).unwrap();
    assert_eq!(reply.json()["error"]["code"], "realtime_unsupported", "{}", reply.body);
}

#[test]
fn forms_that_two_readers_could_take_apart_differently_are_refused() {
    let site = Site::with(NAMES);
    let file = |form: Form| form.file("file", "a.wav", &[1; 600_000]);
    let twice = file(Form::default().field("model", "hear")).field("model", "other");
    let reply = send_form(&site, "/v1/audio/transcriptions", twice);
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (400, Some("invalid_form")));
    assert!(site.received().is_empty(), "nothing whole ever reached the provider");
    let head = head(
        "POST",
        "/v1/audio/transcriptions",
        &format!("multipart/form-data; boundary={}", "b".repeat(8000)),
        2,
    );
    let begun = Instant::now();
    let reply = exchange(site.address, format!("{head}xx").as_bytes()).unwrap();
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert!(begun.elapsed() < Duration::from_millis(500));
}

fn with_sink(address: std::net::SocketAddr, more: &str) -> Site {
    let provider =
        format!("  sink:\n    kind: openai-compatible\n    base_url: \"http://{address}/v1\"\n");
    Site::adapted(more, |text| text.replacen("providers:\n", &format!("providers:\n{provider}"), 1))
}

#[test]
fn a_hundred_megabytes_pass_and_the_memory_stays_as_it_was() {
    const LARGE: usize = 100 << 20;
    let (address, told) = sink(Manner::Takes);
    let site = with_sink(address, "");
    // What any call needs is there before it is measured.
    let small = Form::default().field("model", "sink/m").file("file", "a.wav", b"x");
    assert_eq!(send_form(&site, "/v1/audio/transcriptions", small).status, 200);
    told.recv().unwrap();
    let before = site.peak_kib();
    let sound: Vec<u8> =
        (0..LARGE).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let first = Form::default().field("model", "sink/m").file("file", "a.wav", &sound);
    let last = Form::default().file("file", "a.wav", &sound).field("model", "sink/m");
    for (order, form) in [("model first", first), ("model last", last)] {
        let expected = String::from_utf8_lossy(b"sink/m").len() - 1;
        let sent = form.clone().done().len();
        let reply = send_form(&site, "/v1/audio/transcriptions", form);
        assert_eq!(reply.status, 200, "{order}: {}", reply.body);
        let taken = told.recv().unwrap();
        assert!(taken.whole);
        assert_eq!(usize::try_from(taken.bytes).unwrap(), sent - expected, "{order}");
        let grown = site.peak_kib() - before;
        println!("100 MiB upload, {order}: {grown} KiB more at the peak, {:?}", taken.took);
        assert!(grown < 16 << 10, "{order}: {grown} KiB more");
    }
    let chat = format!(
        r#"{{"model":"sink/m","messages":[{{"role":"user","content":"{}"}}]}}"#,
        "a".repeat(10 << 20)
    );
    let before = site.peak_kib();
    send_json(&site, "/v1/chat/completions", &chat);
    let taken = told.recv().unwrap();
    assert_eq!(usize::try_from(taken.bytes).unwrap(), chat.len() - 5);
    let grown = site.peak_kib() - before;
    println!("10 MiB chat: {grown} KiB more at the peak");
    assert!(grown < 48 << 10, "{grown} KiB more");
    assert!(taken.hash != hash(b""));
}

#[test]
fn an_upload_above_the_bound_is_refused_and_one_that_ends_early_ends_there_too() {
    let (address, told) = sink(Manner::Takes);
    let site = with_sink(address, "limits: { upload: 1MiB }\n");
    let large = Form::default().field("model", "sink/m").file("file", "a", &vec![1; 2 << 20]);
    assert_eq!(send_form(&site, "/v1/audio/transcriptions", large.clone()).status, 413);
    // Without a stated length it is found out on the way, and the provider is left.
    let body = large.done();
    let mut chunked = format!("POST /v1/audio/transcriptions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\ncontent-type: {}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{:x}\r\n", form_type(), body.len()).into_bytes();
    chunked.extend_from_slice(&body);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    let reply = exchange(site.address, &chunked).unwrap();
    assert_eq!(reply.status, 413, "{}", reply.body);
    assert!(!told.recv_timeout(Duration::from_secs(5)).unwrap().whole);
    // A caller who leaves inside its upload.
    let mut socket = TcpStream::connect(site.address).unwrap();
    let head = head("POST", "/v1/audio/transcriptions", &form_type(), 900 << 10);
    let begun =
        Form::default().field("model", "sink/m").file("file", "a", &vec![1; 300 << 10]).done();
    socket.write_all(&[head.as_bytes(), &begun[..300 << 10]].concat()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    drop(socket);
    let left = Instant::now();
    assert!(!told.recv_timeout(Duration::from_secs(5)).unwrap().whole);
    assert!(left.elapsed() < Duration::from_secs(1), "{:?}", left.elapsed());
}

#[test]
fn a_provider_that_refuses_early_is_heard_before_the_upload_is_over() {
    let (address, _told) = sink(Manner::RefusesEarly);
    let site = with_sink(address, "");
    let mut socket = TcpStream::connect(site.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = head("POST", "/v1/audio/transcriptions", &form_type(), 50 << 20);
    let begun =
        Form::default().field("model", "sink/m").file("file", "a", &vec![1; 400 << 10]).done();
    socket.write_all(&[head.as_bytes(), &begun[..300 << 10]].concat()).unwrap();
    let asked = Instant::now();
    let mut answer = [0; 4096];
    let read = socket.read(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer[..read]);
    assert!(text.starts_with("HTTP/1.1 413"), "{text}");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}
