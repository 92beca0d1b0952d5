//! A caller who leaves ends the provider's call at once, and the call is booked.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::site::{DIALECTS, Dialect, KEY, Site};

/// Within this time a provider is let go.
const AT_ONCE: Duration = Duration::from_millis(100);

fn begin(site: &Site, dialect: Dialect, model: &str, stream: bool) -> TcpStream {
    let (path, body) = dialect.call(model, stream);
    let mut socket = TcpStream::connect(site.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\nanthropic-version: 2023-06-01\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket
}

/// Waits until the provider has noticed that its caller left; gives the time it took.
fn until_left(site: &Site, before: usize) -> Duration {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        let seen = site.received();
        if seen.len() > before
            && let Some(last) = seen.last()
            && last.to_string().contains("left")
            && !last["left_after_ms"].is_null()
        {
            return begun.elapsed();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the provider was never left: {:?}", site.received().last());
}

/// The quickest of a few tries: nothing in the gateway waits before it lets a provider go. A single
/// try may be late on a busy machine.
fn quickest(attempt: impl Fn() -> Duration) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        best = best.min(attempt());
        if best < AT_ONCE {
            break;
        }
    }
    best
}

#[test]
fn a_caller_who_leaves_before_the_first_byte_ends_the_providers_call() {
    let site = Site::start();
    for caller in DIALECTS {
        for stream in [false, true] {
            let took = quickest(|| {
                let before = site.received().len();
                let socket = begin(&site, caller, "chat/fault-silence", stream);
                std::thread::sleep(Duration::from_millis(150));
                drop(socket);
                until_left(&site, before)
            });
            assert!(took < AT_ONCE, "{caller:?}: {took:?}");
        }
    }
}

#[test]
fn a_caller_who_leaves_inside_the_stream_ends_the_providers_call_and_is_booked() {
    let site = Site::start();
    let calls = std::cell::Cell::new(0);
    for caller in DIALECTS {
        for provider in DIALECTS {
            let model = format!("{}/hello-pace-50ms", provider.provider);
            let took = quickest(|| {
                calls.set(calls.get() + 1);
                let before = site.received().len();
                let mut socket = begin(&site, caller, &model, true);
                let mut first = [0; 64];
                assert!(socket.read(&mut first).unwrap() > 0);
                drop(socket);
                until_left(&site, before)
            });
            assert!(took < AT_ONCE, "{caller:?} {provider:?}: {took:?}");
        }
    }
    // The access log is written a moment later.
    let expected = calls.get();
    let begun = Instant::now();
    while site.log().matches("\"tollgate.left\":true").count() != expected {
        assert!(begun.elapsed() < Duration::from_secs(3), "{}", site.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
