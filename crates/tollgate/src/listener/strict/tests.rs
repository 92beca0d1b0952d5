//! The strict reader over hostile and over honest bytes, cut in every way. What a whole connection
//! makes of them is shown by the tests of the program.

use super::*;

/// What comes of a connection's bytes, given in pieces of one size: how many pass.
fn passed(bytes: &[u8], piece: usize) -> usize {
    let mut state = State::Opening(0);
    let mut passed = 0;
    for piece in bytes.chunks(piece) {
        let sound = state.pass(piece);
        passed += sound;
        if sound < piece.len() {
            break;
        }
    }
    passed
}

/// Whether all passes; the same however the bytes are cut.
fn passes(bytes: &[u8]) -> bool {
    let whole = passed(bytes, bytes.len().max(1)) == bytes.len();
    for piece in 1..bytes.len() {
        assert_eq!(passed(bytes, piece) == bytes.len(), whole, "{piece}");
    }
    whole
}

#[test]
fn what_is_http_passes_however_it_is_cut() {
    for text in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST /a?b HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcPOST / HTTP/1.0\r\nContent-Length:0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\na\nb\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "PATCH / HTTP/1.1\r\nx:\r\ny: \t\u{e4} z\t\r\n\r\n",
        "GET / HTTP/1.1\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nab",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        "P",
    ] {
        assert!(passes(text.as_bytes()), "{text:?}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_does_not() {
    for text in [
        // Lengths that disagree, or are none.
        "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length:\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: xchunked\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
        // Lines that are none.
        "GET / HTTP/1.1\nhost: a\n\n",
        "GET / HTTP/1.1\r\nhost: a\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\n host: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\rb: c\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        "GET / HTTP/5.6\r\n\r\n",
        "GET /\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        // Chunks that are none.
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;a=b\r\na\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff1\r\na\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 5\r\n\r\n",
        // What follows an upgrade is no request.
        "GET / HTTP/1.1\r\nupgrade: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ] {
        assert!(!passes(text.as_bytes()), "{text:?}");
    }
}
