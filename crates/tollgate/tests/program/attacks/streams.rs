//! A provider's stream, as no honest provider sends it (T33), and providers that are gateways (T36).

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::super::site::{DIALECTS, Dialect, KEY, Reply, Site, exchange};
use super::bench::{Listener, Swept, with_provider};

/// What each simulated provider answers to a plain streamed call.
fn honest(site: &Site) -> [(Dialect, String); 3] {
    DIALECTS.map(|dialect| {
        let (path, body) = dialect.call("hello", true);
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\nx-api-key: k\r\nx-goog-api-key: k\r\nanthropic-version: 2023-06-01\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let reply = exchange(site.upstream, request.as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        (dialect, reply.body)
    })
}

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// The text of a streamed answer.
fn text(stream: &str) -> String {
    let stream = stream.trim_start_matches('\u{feff}');
    let lines = stream.split(['\r', '\n']).filter_map(|line| line.strip_prefix("data:"));
    let events = lines.filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok());
    let mut text = String::new();
    for event in events {
        let parts = event["candidates"][0]["content"]["parts"].as_array().cloned();
        let of_google = parts.unwrap_or_default().into_iter().map(|part| part["text"].clone());
        let others =
            [event["choices"][0]["delta"]["content"].clone(), event["delta"]["text"].clone()];
        for said in of_google.chain(others) {
            text += said.as_str().unwrap_or_default();
        }
    }
    text
}

/// A stream as it was changed, and how it is cut into pieces.
type Case = (String, Vec<Vec<u8>>);

/// A site with a provider for each dialect that answers the case whose number the model names.
fn site_with(cases: impl Fn(&str) -> Vec<Case>) -> (Swept, Vec<(Dialect, Vec<Case>)>) {
    let plain = Site::start();
    let all: Vec<_> =
        honest(&plain).into_iter().map(|(dialect, stream)| (dialect, cases(&stream))).collect();
    let served = all.clone();
    let provider = Listener::answering(move |request| {
        let (_, rest) = request.split_once("case-").unwrap();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let dialect = served.iter().find(|(d, _)| request.contains(&format!("as-{}", d.name)));
        let pieces = &dialect.unwrap().1[digits.parse::<usize>().unwrap()].1;
        [vec![HEAD.as_bytes().to_vec()], pieces.clone()].concat()
    });
    let site = Swept::new(Site::adapted("", |text| {
        DIALECTS.iter().fold(text, |text, dialect| {
            with_provider(
                &text,
                &format!("far-{}", dialect.provider),
                dialect.name,
                provider.address,
            )
        })
    }));
    (site, all)
}

/// Every case of every provider, as each caller sees it.
fn each(
    site: &Swept,
    all: &[(Dialect, Vec<Case>)],
    judge: impl Fn((Dialect, Dialect), &Case, &Reply) + Sync,
) {
    std::thread::scope(|scope| {
        for caller in DIALECTS {
            for (dialect, cases) in all {
                let judge = &judge;
                scope.spawn(move || {
                    for (number, case) in cases.iter().enumerate() {
                        let model =
                            format!("far-{}/as-{}-case-{number}", dialect.provider, dialect.name);
                        let reply = site.call(caller, &model, true);
                        judge((caller, *dialect), case, &reply);
                    }
                });
            }
        }
    });
}

fn whole(text: &str) -> Vec<Vec<u8>> {
    vec![text.as_bytes().to_vec()]
}

#[test]
fn t33_a_stream_means_the_same_however_it_is_cut_and_its_lines_end() {
    let (site, all) = site_with(|stream| {
        let ends = |end: &str| stream.replace("\r\n", "\n").replace('\n', end);
        let plain = ends("\n");
        let (mut turn, mut before) = (0, "");
        let mixed = plain.split_inclusive('\n').map(|line| {
            turn += 1;
            let end = ["\n", "\r\n", "\r"][turn % 3];
            // CR and the LF of an empty line would be one end.
            before = if line == "\n" && before == "\r" && end == "\n" { "\r\n" } else { end };
            line.replace('\n', before)
        });
        let mixed: String = mixed.collect();
        // Every way to cut it in two is tried where the framer stands; here every byte comes alone,
        // and odd places come together.
        let alone = |text: &str| text.bytes().map(|byte| vec![byte]).collect::<Vec<_>>();
        let by =
            |text: &str, size: usize| text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        vec![
            ("as it is".into(), whole(stream)),
            ("byte by byte".into(), alone(stream)),
            ("by seven".into(), by(stream, 7)),
            ("CRLF".into(), whole(&ends("\r\n"))),
            ("CRLF byte by byte".into(), alone(&ends("\r\n"))),
            ("CR".into(), whole(&ends("\r"))),
            ("CR byte by byte".into(), alone(&ends("\r"))),
            ("mixed".into(), whole(&mixed)),
            ("mixed byte by byte".into(), alone(&mixed)),
            ("a byte order mark".into(), whole(&format!("\u{feff}{stream}"))),
            ("comments".into(), whole(&stream.replace("data:", ": a comment\ndata:"))),
            (
                "unknown fields".into(),
                whole(&stream.replace("data:", "set-cookie: a=b\nid: 7\nretry: 1\ndata:")),
            ),
        ]
    });
    let expected: Vec<String> =
        all.iter().map(|(_, cases)| text(&String::from_utf8_lossy(&cases[0].1[0]))).collect();
    assert!(expected.iter().all(|text| text.len() > 5), "{expected:?}");
    each(&site, &all, |(caller, _), (what, _), reply| {
        assert_eq!(reply.status, 200, "{caller:?} {what}: {}", reply.body);
        assert!(caller.ends_cleanly(&reply.body), "{caller:?} {what}: {}", reply.body);
        assert!(expected.contains(&text(&reply.body)), "{caller:?} {what}: {}", reply.body);
        assert_eq!(reply.header("set-cookie"), None);
    });
}

#[test]
fn t33_a_terminator_inside_a_text_is_text() {
    let (site, all) = site_with(|stream| {
        let word = text(stream).split_whitespace().next().unwrap().to_owned();
        let said = [
            "[DONE]",
            r"\n\ndata: [DONE]\n\n",
            r"event: message_stop\ndata: {}\n\n",
            r"\u0000\r\n",
        ];
        said.map(|said| (said.to_owned(), whole(&stream.replacen(&word, said, 1)))).to_vec()
    });
    each(&site, &all, |(caller, _), (said, _), reply| {
        assert_eq!(reply.status, 200, "{caller:?} {said}: {}", reply.body);
        assert!(caller.ends_cleanly(&reply.body), "{caller:?} {said}: {}", reply.body);
        let said: Value = serde_json::from_str(&format!("\"{said}\"")).unwrap();
        assert!(text(&reply.body).contains(said.as_str().unwrap()), "{said}: {}", reply.body);
    });
}

#[test]
fn t33_a_stream_that_is_none_ends_in_an_error() {
    let (site, all) = site_with(|stream| {
        let half = stream.len() / 2;
        let half = stream[..half].rfind("\n\n").map_or(half, |at| at + 2);
        let begun = &stream.as_bytes()[..half];
        let with = |rest: &[u8]| vec![begun.to_vec(), rest.to_vec()];
        let endless = vec![b'x'; 1 << 20];
        let mut huge = with(b"data: \"");
        huge.extend(std::iter::repeat_n(endless, 100));
        vec![
            ("a line of 100 MB".into(), huge),
            ("a NUL".into(), with(b"data: {\"a\":\"\0\"}\n\ndata: [DONE]\n\n")),
            ("bad UTF-8".into(), with(b"data: {\"a\":\"\xff\xfe\"}\n\ndata: [DONE]\n\n")),
            ("half a frame".into(), with(b"data: {\"a\":")),
            ("no JSON".into(), with(b"data: {\"a\":}\n\ndata: [DONE]\n\n")),
            (
                "JSON too deep".into(),
                with(format!("data: {{\"a\":{}\n\n", "[".repeat(100_000)).as_bytes()),
            ),
            ("nothing more".into(), with(b"")),
        ]
    });
    let before = site.resident_kib();
    each(&site, &all, |(caller, provider), (what, _), reply| {
        // On its own dialect a frame is looked at and not read: what is wrong inside its braces
        // travels on as it came.
        let inside = ["a NUL", "bad UTF-8", "no JSON"].contains(&what.as_str());
        if inside && caller.name == provider.name {
            return assert_eq!(reply.status, 200, "{caller:?} {what}");
        }
        assert!(matches!(reply.status, 200 | 502), "{caller:?} {what}: {:.500}", reply.body);
        if reply.status == 200 {
            let last = reply.body.rsplit("data: ").next().unwrap_or_default().trim();
            let last = serde_json::from_str(last).unwrap_or_default();
            let end = reply.body.len().saturating_sub(500);
            assert!(
                caller.is_error(&last),
                "{caller:?} {what}: {}",
                reply.body.get(end..).unwrap_or_default()
            );
            assert!(!reply.body.contains("[DONE]"), "{caller:?} {what}");
        }
        assert!(reply.body.len() < 1 << 20, "{caller:?} {what}: {}", reply.body.len());
    });
    // Nine at once may hold an event of 16 MiB each, twice while it grows.
    let grown = site.resident_kib().saturating_sub(before);
    assert!(grown < 9 * 3 * (16 << 10), "{grown} KiB");
    site.serves();
}

#[test]
fn t33_nothing_that_a_provider_says_becomes_a_header() {
    let evil = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nset-cookie: a=b\r\nlocation: http://192.0.2.1/\r\nalt-svc: h3=\":1\"\r\nstrict-transport-security: max-age=1\r\naccess-control-allow-origin: *\r\nx-tollgate-target: x/y\r\nx-request-id: evil\r\nserver: evil\r\nclear-site-data: \"*\"\r\nconnection: close\r\n\r\n";
    let plain = Site::start();
    let streams = honest(&plain).map(|(dialect, stream)| (dialect.name, stream));
    let provider = Listener::answering(move |request| {
        let (_, stream) = streams.iter().find(|(name, _)| request.contains(name)).unwrap();
        vec![evil.as_bytes().to_vec(), stream.clone().into_bytes()]
    });
    let site = Swept::new(Site::adapted("", |text| {
        DIALECTS.iter().fold(text, |text, dialect| {
            with_provider(
                &text,
                &format!("far-{}", dialect.provider),
                dialect.name,
                provider.address,
            )
        })
    }));
    for caller in DIALECTS {
        for to in DIALECTS {
            let model = format!("far-{}/{}", to.provider, to.name);
            let reply = site.call(caller, &model, true);
            assert_eq!(reply.status, 200, "{}", reply.body);
            for name in [
                "set-cookie",
                "location",
                "alt-svc",
                "strict-transport-security",
                "access-control-allow-origin",
                "server",
                "clear-site-data",
            ] {
                assert_eq!(reply.header(name), None, "{name}: {}", reply.head);
            }
            assert_eq!(reply.header("x-tollgate-target"), Some(model.as_str()));
            assert_ne!(reply.header("x-request-id"), Some("evil"));
        }
    }
}

/// A door whose other side is chosen later.
fn door() -> (SocketAddr, Arc<OnceLock<SocketAddr>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let to = Arc::new(OnceLock::new());
    let chosen = to.clone();
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Some(to) = chosen.get() else { continue };
            let far = TcpStream::connect(to).unwrap();
            for (from, to) in [(&near, &far), (&far, &near)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(read @ 1..) = from.read(&mut buffer) {
                        if to.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    (address, to)
}

/// A gateway whose providers, one for each dialect, stand at `address` and take the test's key.
fn leading_to(address: SocketAddr) -> Swept {
    Swept::new(Site::adapted("", |text| {
        let text = DIALECTS.iter().fold(text, |text, dialect| {
            with_provider(&text, &format!("round-{}", dialect.provider), dialect.name, address)
        });
        // The next gateway is shown a key that it knows.
        text.replace("${env:PROVIDER_KEY}", "${env:TEST_KEY}")
    }))
}

#[test]
fn t36_a_call_that_goes_in_a_circle_ends_as_one() {
    // Through a door, since a gateway's own address is refused by its configuration.
    let (address, to) = door();
    let alone = leading_to(address);
    to.set(alone.address).unwrap();
    let (address, to) = door();
    let one = leading_to(address);
    let two = leading_to(one.address);
    to.set(two.address).unwrap();
    for site in [&alone, &one, &two] {
        for caller in DIALECTS {
            for provider in DIALECTS {
                for stream in [false, true] {
                    // Each gateway takes the first part of the name off.
                    let model = format!("round-{}/", provider.provider).repeat(8) + "m";
                    let reply = site.call(caller, &model, stream);
                    assert_eq!(reply.status, 508, "{caller:?} {provider:?}: {}", reply.body);
                    assert!(caller.is_error(&reply.json()), "{}", reply.body);
                }
            }
        }
        site.serves();
    }
}

#[test]
fn t36_an_answer_to_a_forged_marker_is_an_error_and_nothing_else() {
    let site = Swept::new(Site::start());
    for (hops, status) in
        [("a", 200), ("a,b,c", 200), ("a,b,c,d,e", 508), (",,,,,,,", 508), ("", 200)]
    {
        let (path, body) = DIALECTS[0].call("chat/hello", false);
        let reply = site.post(&path, &format!("x-tollgate-hops: {hops}\r\n"), &body);
        assert_eq!(reply.status, status, "{hops}: {}", reply.body);
    }
    let (path, body) = DIALECTS[0].call("chat/hello", false);
    let long = "a".repeat(40 << 10);
    let reply = site.post(&path, &format!("x-tollgate-hops: {long}\r\n"), &body);
    assert!(matches!(reply.status, 200 | 508), "{}", reply.body);
}
