//! A provider that thinks of nothing: canned answers in two dialects, streams at a set pace.
//!
//! A streamed request's model says how: `s-COUNT-MILLISECONDS` sends COUNT pieces, one every so
//! many milliseconds (0: as fast as they are taken).

use std::time::Duration;

use memchr::memmem;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

use crate::http::{Length, Reader, length};

const CHAT: &str = r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":"The toll was paid, the gate opened, and the traveller went on along the road to the city with a light heart and a lighter purse, as travellers do when the morning is young and the bread is fresh."},"finish_reason":"stop"}],"usage":{"prompt_tokens":212,"completion_tokens":47,"total_tokens":259}}"#;
const MESSAGE: &str = r#"{"id":"msg_bench","type":"message","role":"assistant","model":"bench","content":[{"type":"text","text":"The toll was paid, the gate opened, and the traveller went on along the road to the city with a light heart and a lighter purse, as travellers do when the morning is young and the bread is fresh."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":212,"output_tokens":47}}"#;

/// What a stream of one dialect is made of.
struct Script {
    begin: &'static str,
    piece: &'static str,
    end: &'static str,
}

const CHAT_STREAM: Script = Script {
    begin: "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
    piece: "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\",\"system_fingerprint\":\"fp_0000000000\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" traveller\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
    end: "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\",\"choices\":[],\"usage\":{\"prompt_tokens\":212,\"completion_tokens\":500,\"total_tokens\":712}}\n\ndata: [DONE]\n\n",
};

const MESSAGE_STREAM: Script = Script {
    begin: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_bench\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"bench\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":212,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    piece: "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" traveller\"}}\n\n",
    end: "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":500}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
};

pub(crate) async fn serve(address: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A connection that breaks is the load's to notice.
        tokio::spawn(async move {
            let _ = connection(stream).await;
        });
    }
}

async fn connection(mut stream: TcpStream) -> anyhow::Result<()> {
    let mut reader = Reader::new();
    while let Some(head) = reader.head(&mut stream).await? {
        let messages = memmem::find(&head, b"/messages").is_some();
        let body = match length(&head)? {
            Length::Exactly(length) => reader.exactly(&mut stream, length).await?,
            Length::Chunked => anyhow::bail!("no chunked requests here"),
        };
        match pace(body) {
            Some((count, pause)) => {
                let script = if messages { &MESSAGE_STREAM } else { &CHAT_STREAM };
                streamed(&mut stream, script, count, pause).await?;
            }
            None => {
                let body = if messages { MESSAGE } else { CHAT };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await?;
            }
        }
    }
    Ok(())
}

/// Count and pause of a streamed request.
fn pace(body: &[u8]) -> Option<(u32, Duration)> {
    let at = memmem::find(body, b"\"s-")? + 3;
    let name = std::str::from_utf8(body.get(at..)?.split(|b| *b == b'"').next()?).ok()?;
    let (count, pause) = name.split_once('-')?;
    Some((count.parse().ok()?, Duration::from_millis(pause.parse().ok()?)))
}

async fn streamed(
    stream: &mut TcpStream,
    script: &Script,
    count: u32,
    pause: Duration,
) -> anyhow::Result<()> {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let begin = format!("{head}{}", chunk(script.begin));
    stream.write_all(begin.as_bytes()).await?;
    let piece = chunk(script.piece);
    let mut due = Instant::now();
    for _ in 0..count {
        due += pause;
        if !pause.is_zero() {
            sleep_until(due).await;
        }
        stream.write_all(piece.as_bytes()).await?;
    }
    let end = format!("{}0\r\n\r\n", chunk(script.end));
    stream.write_all(end.as_bytes()).await?;
    Ok(())
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
