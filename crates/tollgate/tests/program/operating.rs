//! Reloads, refused configurations and the end of the process, under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::site::{DIALECTS, KEY, Site, get};

fn request(model: &str, stream: bool) -> Vec<u8> {
    let (path, body) = DIALECTS[0].call(model, stream);
    format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Reads one buffered answer on a kept-alive connection; its status.
async fn answer(socket: &mut TcpStream) -> std::io::Result<u16> {
    let mut bytes = Vec::new();
    loop {
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
            .unwrap();
        if bytes.len() >= at + 4 + length {
            return Ok(head.split(' ').nth(1).unwrap().parse().unwrap());
        }
    }
}

/// Reads a whole stream; whether it ended as it should.
async fn stream(address: std::net::SocketAddr, model: String) -> bool {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(&request(&model, true)).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let read = socket.read_buf(&mut bytes).await.unwrap_or(0);
        if bytes.ends_with(b"0\r\n\r\n") || read == 0 {
            let text = String::from_utf8_lossy(&bytes);
            let whole = text.contains("data: [DONE]") && text.ends_with("0\r\n\r\n");
            if !whole {
                let from = bytes.len().saturating_sub(300);
                println!("not whole: {}", String::from_utf8_lossy(&bytes[from..]));
            }
            return whole;
        }
    }
}

struct Load {
    done: AtomicU64,
    failed: AtomicU64,
    /// Longest time without any success, in microseconds.
    gap: AtomicU64,
    stop: AtomicBool,
}

/// Calls on kept-alive connections, back to back, until told to stop.
async fn load(load: Arc<Load>, address: std::net::SocketAddr, begun: Instant) {
    let bytes = request("chat/hello", false);
    let mut socket = TcpStream::connect(address).await.unwrap();
    let mut last = begun.elapsed();
    while !load.stop.load(Ordering::Relaxed) {
        socket.write_all(&bytes).await.unwrap();
        match answer(&mut socket).await {
            Ok(200) => load.done.fetch_add(1, Ordering::Relaxed),
            _ => load.failed.fetch_add(1, Ordering::Relaxed),
        };
        let now = begun.elapsed();
        let gap = u64::try_from((now - last).as_micros()).unwrap();
        load.gap.fetch_max(gap, Ordering::Relaxed);
        last = now;
    }
}

#[test]
fn twenty_reloads_under_load_fail_no_call() {
    let site = Site::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let state = Arc::new(Load {
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            gap: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let begun = Instant::now();
        let calls: Vec<_> =
            (0..8).map(|_| tokio::spawn(load(state.clone(), site.address, begun))).collect();
        let streams: Vec<_> = (0..20)
            .map(|_| tokio::spawn(stream(site.address, "chat/hello-pace-100ms-words-60".into())))
            .collect();
        let file = site.folder.join("tollgate.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        for number in 0..20 {
            let changed = format!("{text}\nshutdown: {{ grace: {}s }}\n", 20 + number);
            std::fs::write(&file, changed).unwrap();
            site.signal("-HUP");
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        for open in streams {
            assert!(open.await.unwrap(), "a stream was cut by a reload");
        }
        state.stop.store(true, Ordering::Relaxed);
        for call in calls {
            call.await.unwrap();
        }
        let (done, failed) =
            (state.done.load(Ordering::Relaxed), state.failed.load(Ordering::Relaxed));
        let metrics = get(site.admin, "/metrics").unwrap().body;
        let reloads = metrics
            .lines()
            .find_map(|line| {
                line.strip_prefix("tollgate_config_reloads_total{result=\"accepted\"} ")
            })
            .and_then(|count| count.parse::<u64>().ok())
            .unwrap_or(0);
        println!(
            "{done} calls, {failed} failed, longest gap {} us, {reloads} reloads",
            state.gap.load(Ordering::Relaxed)
        );
        assert_eq!(failed, 0);
        assert!(done > 200, "{done}");
        assert!(reloads >= 10, "{reloads} reloads were seen:\n{}", site.log());
    });
}

#[test]
fn a_bad_configuration_is_refused_with_its_place_and_the_old_one_serves_on() {
    let site = Site::start();
    let file = site.folder.join("tollgate.yaml");
    let good = std::fs::read_to_string(&file).unwrap();
    for (bad, place) in [
        (good.replace("teams:", "teems:"), "teems"),
        (format!("{good}models: {{ a: {{ targets: [{{ to: nobody/x }}] }} }}\n"), "nobody"),
        (good.replace("${env:TEST_KEY}", "${env:NOT_SET_AT_ALL}"), "NOT_SET_AT_ALL"),
        ("{".to_owned(), "line=1"),
    ] {
        let before = site.log().len();
        std::fs::write(&file, bad).unwrap();
        site.signal("-HUP");
        let begun = Instant::now();
        while !site.log()[before..].contains(place) {
            assert!(begun.elapsed() < Duration::from_secs(5), "{place}: {}", site.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        let reply = site.call(DIALECTS[0], "chat/hello", false);
        assert_eq!(reply.status, 200, "{place}: {}", reply.body);
    }
}

#[test]
fn two_hundred_open_streams_end_whole_when_the_process_is_told_to_end() {
    let mut site = Site::with("shutdown: { grace: 30s }\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = site.address;
    let whole = runtime.block_on(async {
        let streams: Vec<_> = (0..200)
            .map(|_| tokio::spawn(stream(address, "chat/hello-pace-100ms-words-40".into())))
            .collect();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        site.signal("-TERM");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(get(site.admin, "/readyz").map(|reply| reply.status), Some(503));
        assert!(TcpStream::connect(address).await.is_err(), "new connections are still taken");
        let mut whole = 0;
        for stream in streams {
            whole += u32::from(stream.await.unwrap());
        }
        whole
    });
    assert_eq!(whole, 200);
    assert_eq!(site.wait(), Some(0), "{}", site.log());
}

#[test]
fn what_is_open_when_the_grace_is_over_ends_with_an_error_and_is_booked() {
    for asked_twice in [false, true] {
        let grace = if asked_twice { "60s" } else { "1s" };
        let mut site = Site::with(&format!("shutdown: {{ grace: {grace} }}\n"));
        let begun = Instant::now();
        let replies: Vec<_> = std::thread::scope(|scope| {
            let mut calls = Vec::new();
            for (number, dialect) in DIALECTS.into_iter().enumerate() {
                let site = &site;
                // In its caller's own dialect, in another one, and before the first byte.
                let own = format!("{}/hello-pace-100ms-words-400", dialect.provider);
                let other = DIALECTS[(number + 1) % DIALECTS.len()].provider;
                let other = format!("{other}/hello-pace-100ms-words-400");
                for (model, stream) in
                    [(own, true), (other, true), ("chat/fault-silence".into(), false)]
                {
                    calls.push((
                        dialect,
                        stream,
                        scope.spawn(move || site.call(dialect, &model, stream)),
                    ));
                }
            }
            std::thread::sleep(Duration::from_millis(700));
            site.signal("-TERM");
            if asked_twice {
                std::thread::sleep(Duration::from_millis(300));
                site.signal("-TERM");
            }
            calls
                .into_iter()
                .map(|(dialect, stream, call)| (dialect, stream, call.join().unwrap()))
                .collect()
        });
        assert_eq!(site.wait(), Some(0), "{}", site.log());
        assert!(begun.elapsed() < Duration::from_secs(20), "the second request was not heard");
        for (dialect, stream, reply) in &replies {
            let status = if *stream { 200 } else { 503 };
            assert_eq!(reply.status, status, "{dialect:?}: {}", reply.body);
            assert!(reply.body.contains("going down"), "{dialect:?}: {}", reply.body);
            assert!(!dialect.ends_cleanly(&reply.body), "{dialect:?}: {}", reply.body);
        }
        let log = site.log();
        assert_eq!(log.matches("shutting_down").count(), replies.len(), "{log}");
        assert_eq!(log.matches("\"tollgate.left\":true").count(), 0, "{log}");
    }
}

#[test]
fn a_stale_connection_of_the_provider_is_replaced_silently() {
    // A provider that closes every connection after one answer, a moment later.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            std::thread::spawn(move || {
                let mut buffer = [0; 64 << 10];
                let _ = socket.read(&mut buffer);
                let body = r#"{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
                let _ = write!(
                    socket,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                // Kept open until the next request is on its way, and closed on it unanswered.
                let _ = socket.read(&mut buffer);
            });
        }
    });
    let more = "models: { m: { targets: [{ to: closing/m }] } }\n";
    let provider = format!(
        "  closing: {{ kind: openai-compatible, base_url: \"http://{address}/v1\" }}\nteams:"
    );
    let site = Site::adapted(more, |text| text.replacen("teams:", &provider, 1));
    for _ in 0..50 {
        let reply = site.call(DIALECTS[0], "m", false);
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
}
