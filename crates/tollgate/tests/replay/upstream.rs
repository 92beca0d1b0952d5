//! The scripted provider: the model's name is the id of a recording, and the answer is what that
//! recording holds, cut at random places where it is a stream.

use std::collections::HashMap;
use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::Value;
use tollgate_testkit::Exchange;
use tollgate_testkit::cuts::{self, Seed};

use super::gate::BEFORE;
use super::http1;

type Answers = Arc<HashMap<String, Arc<Exchange>>>;

/// Serves until the test ends.
pub(crate) fn start(answers: HashMap<String, Arc<Exchange>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers: Answers = Arc::new(answers);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let answers = answers.clone();
            thread::spawn(move || serve(socket, &answers));
        }
    });
    address
}

fn serve(socket: TcpStream, answers: &Answers) {
    let _ = socket.set_nodelay(true);
    let mut wire = BufReader::new(socket);
    while let Ok(Some(request)) = http1::read(&mut wire) {
        let id = model(&request.line, &request.body);
        let written = match named(answers, &id) {
            Some(exchange) => answer(wire.get_mut(), exchange),
            None => missing(wire.get_mut(), &id),
        };
        if written.is_err() {
            return;
        }
    }
}

/// In the path for some vendors, in the body for the others.
fn model(line: &str, body: &[u8]) -> String {
    let path = line.split(' ').nth(1).unwrap_or_default();
    if let Some((_, rest)) = path.split_once("/models/") {
        return rest.split(':').next().unwrap_or_default().to_owned();
    }
    if let Some(rest) = path.strip_prefix("/model/") {
        return rest.split('/').next().unwrap_or_default().to_owned();
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["model"].as_str().unwrap_or_default().to_owned()
}

/// The recording of that name, or of what stands behind what its host demands of names.
fn named<'a>(answers: &'a Answers, model: &str) -> Option<&'a Arc<Exchange>> {
    let behind = |before: &&str| model.strip_prefix(*before).and_then(|id| answers.get(id));
    answers.get(model).or_else(|| BEFORE.iter().find_map(behind))
}

fn answer(socket: &mut TcpStream, exchange: &Exchange) -> io::Result<()> {
    let (status, body) = (exchange.response.status, exchange.response.body.bytes());
    if exchange.response.body.is_stream() {
        let kind = match exchange.response.body.kind.as_str() {
            "eventstream" => "application/vnd.amazon.eventstream",
            "ndjson" => "application/x-ndjson",
            _ => "text/event-stream",
        };
        write!(
            socket,
            "HTTP/1.1 {status} Recorded\r\ncontent-type: {kind}\r\n\
             transfer-encoding: chunked\r\n\r\n"
        )?;
        for piece in cuts::random(&body, &mut Seed::of(&exchange.id)) {
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend(piece);
            chunk.extend(b"\r\n");
            socket.write_all(&chunk)?;
        }
        return socket.write_all(b"0\r\n\r\n");
    }
    write!(
        socket,
        "HTTP/1.1 {status} Recorded\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )?;
    socket.write_all(&body)
}

fn missing(socket: &mut TcpStream, id: &str) -> io::Result<()> {
    let body = format!("no recording {id:?}");
    write!(socket, "HTTP/1.1 418 No\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
