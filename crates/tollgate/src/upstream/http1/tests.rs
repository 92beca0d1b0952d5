//! The client against a socket, and its framing without one.

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::framing::{Framing, Malformed};
use super::*;

fn read(framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, Framing), Malformed> {
    let (mut framing, mut buffer, mut said) = (framing, BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while let Some(content) = framing.take(&mut buffer)? {
            said.extend_from_slice(&content);
        }
    }
    Ok((said, framing))
}

#[test]
fn chunks_mean_the_same_wherever_they_are_cut() {
    let body = b"5\r\nhello\r\n1;x=y\r\n \r\n00A \r\n0123456789\r\n0\r\nlate: x\r\n\r\n";
    for cut in 0..body.len() {
        let (one, two) = body.split_at(cut);
        let (said, framing) = read(Framing::chunked(), &[one, two]).unwrap();
        assert_eq!((said.as_slice(), framing), (&b"hello 0123456789"[..], Framing::Over), "{cut}");
    }
    let singly: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(read(Framing::chunked(), &singly).unwrap().0, b"hello 0123456789");
}

#[test]
fn what_is_no_chunk_is_noticed() {
    let long = format!("5;{}", "x".repeat(5000));
    let trailers = format!("0\r\n{}", "late: x\r\n".repeat(5000));
    let bad: [&[u8]; 10] = [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"+5\r\nhello",
        b"0x5\r\nhello",
        b"5\nhello",
        b"5\r\nhello!\r\n",
        b"1234567890abcdef\r\n",
        long.as_bytes(),
        trailers.as_bytes(),
    ];
    for body in bad {
        assert_eq!(read(Framing::chunked(), &[body]), Err(Malformed), "{:.40?}", body);
    }
}

#[test]
fn a_body_ends_where_its_head_says() {
    for (head, framing, keeps) in [
        ("200 OK\r\ncontent-length: 5", Framing::Length(5), true),
        ("200 OK\r\ncontent-length: 5\r\ncontent-length: 5", Framing::Length(5), true),
        ("200 OK\r\ncontent-length: 0", Framing::Over, true),
        ("204 No\r\ncontent-length: 5", Framing::Over, true),
        ("200 OK\r\ntransfer-encoding: Chunked", Framing::chunked(), true),
        ("200 OK\r\ntransfer-encoding: gzip, chunked", Framing::chunked(), true),
        // Two readers could disagree: read by the coding, and never used again.
        ("200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked", Framing::chunked(), false),
        ("200 OK\r\ntransfer-encoding: gzip", Framing::UntilClosed, false),
        ("200 OK\r\nserver: x", Framing::UntilClosed, false),
        ("200 OK\r\ncontent-length: 5\r\nconnection: x, Close", Framing::Length(5), false),
        ("101 So\r\nupgrade: x", Framing::Over, false),
    ] {
        let read = Head::read(format!("HTTP/1.1 {head}\r\n\r\n").as_bytes()).unwrap();
        assert_eq!((read.framing, read.keeps), (framing, keeps), "{head}");
    }
    let old = |more: &str| Head::read(format!("HTTP/1.0 200 OK\r\n{more}\r\n").as_bytes()).unwrap();
    assert!(!old("content-length: 5\r\n").keeps);
    assert!(old("content-length: 5\r\nconnection: keep-alive\r\n").keeps);
    for bad in ["content-length: 5\r\ncontent-length: 6", "content-length: +5", "content-length: x"]
    {
        assert!(Head::read(format!("HTTP/1.1 200 OK\r\n{bad}\r\n\r\n").as_bytes()).is_err());
    }
}

#[test]
fn the_end_of_a_head_is_found_wherever_it_is_cut() {
    for head in ["HTTP/1.1 200 OK\r\na: b\r\n\r\n", "HTTP/1.1 200 OK\na: b\n\n"] {
        for cut in 0..head.len() {
            assert_eq!(head::end(&head.as_bytes()[..cut], 0), None, "{cut}");
            assert_eq!(head::end(head.as_bytes(), cut), Some(head.len()), "{cut}");
        }
    }
}

/// A connection, and its other side.
async fn pair() -> (Connection, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (far, _) = listener.accept().await.unwrap();
    (Connection::new(Stream::Plain(near)), far)
}

#[tokio::test]
async fn an_answer_may_begin_before_its_request_was_taken() {
    let (mut connection, mut far) = pair().await;
    let long = Bytes::from(vec![b'x'; 64 << 20]);
    let length = long.len();
    let server = tokio::spawn(async move {
        let mut taken = [0; 5];
        far.read_exact(&mut taken).await.unwrap();
        let begin = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nyes";
        far.write_all(begin).await.unwrap();
        let mut rest = vec![0; length];
        far.read_exact(&mut rest).await.unwrap();
        far.write_all(b"yes").await.unwrap();
        far
    });
    let head = connection.exchange(Bytes::from_static(b"head\n"), &call(long)).await.unwrap();
    assert_eq!(head.status, 200);
    assert!(!connection.is_sent());
    let mut body = Body::new(connection, &head, std::sync::Arc::default(), 1);
    let mut said = Vec::new();
    while let Some(data) = body.data().await {
        said.extend_from_slice(&data.unwrap());
    }
    assert_eq!(said, b"yesyes");
    server.await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_or_speaks_is_not_quiet() {
    let beat = std::time::Duration::from_millis(50);
    let (mut connection, mut far) = pair().await;
    tokio::time::sleep(beat).await;
    assert!(connection.is_quiet());
    far.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    tokio::time::sleep(beat).await;
    assert!(!connection.is_quiet());
    let (mut connection, far) = pair().await;
    drop(far);
    tokio::time::sleep(beat).await;
    assert!(!connection.is_quiet());
    let sent = connection.exchange(Bytes::from_static(b"x"), &call(Bytes::new())).await;
    assert!(matches!(sent, Err(Broken::Unanswered)));
}

#[tokio::test]
async fn a_head_that_breaks_off_was_an_answer() {
    let (mut connection, mut far) = pair().await;
    far.write_all(b"HTTP/1.1 200 OK\r\ncontent-").await.unwrap();
    drop(far);
    let sent = connection.exchange(Bytes::from_static(b"x"), &call(Bytes::new())).await;
    assert!(matches!(sent, Err(Broken::CutOff | Broken::Io(_))), "{sent:?}");
}

fn call(body: Bytes) -> Call {
    let (method, uri) = (http::Method::POST, http::Uri::from_static("/"));
    Call { method, uri, headers: http::HeaderMap::new(), body: body.into() }
}
