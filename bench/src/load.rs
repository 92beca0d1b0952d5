//! A load of bounded size, and what it saw, as one line of JSON.
//!
//! `to=HOST:PORT path=/v1/chat/completions key=KEY model=NAME bytes=1024` and one of
//! `connections=32 requests=20000` (closed loop), `rate=1000 seconds=5 connections=64` (open
//! loop; also the longest time without an answer), `streams=50` (each read to its end), or `hold=1000 seconds=4` (opened, then kept).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

use crate::http::{Length, Reader, length, status};

struct Plan {
    to: String,
    request: Vec<u8>,
    settings: HashMap<String, String>,
}

pub(crate) async fn run(arguments: &[String]) -> anyhow::Result<()> {
    let settings: HashMap<String, String> = arguments
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let get = |name: &str| settings.get(name).with_context(|| format!("{name}=… is missing"));
    let to = get("to")?.clone();
    let request = request(&to, get("path")?, get("key")?, get("model")?, get("bytes")?.parse()?);
    let plan = Arc::new(Plan { to, request, settings });
    let line = if plan.settings.contains_key("hold") {
        hold(&plan).await?
    } else if plan.settings.contains_key("streams") {
        streams(&plan).await?
    } else if plan.settings.contains_key("rate") {
        open_loop(&plan).await?
    } else {
        closed_loop(&plan).await?
    };
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

impl Plan {
    fn number(&self, name: &str) -> anyhow::Result<usize> {
        Ok(self.settings.get(name).with_context(|| format!("{name}=… is missing"))?.parse()?)
    }
}

/// A request of the wanted size; the path tells the dialect.
fn request(to: &str, path: &str, key: &str, model: &str, bytes: usize) -> Vec<u8> {
    let stream = if model.contains("s-") { ",\"stream\":true" } else { "" };
    let extra = if path.ends_with("/messages") { ",\"max_tokens\":1000" } else { "" };
    let frame = format!(
        "{{\"model\":\"{model}\"{stream}{extra},\"messages\":[{{\"role\":\"user\",\"content\":\"\"}}]}}"
    );
    let text: String = "The quick brown fox pays the toll. "
        .chars()
        .cycle()
        .take(bytes.saturating_sub(frame.len()))
        .collect();
    let body = frame.replace("\"content\":\"\"", &format!("\"content\":\"{text}\""));
    format!(
        "POST {path} HTTP/1.1\r\nhost: {to}\r\nauthorization: Bearer {key}\r\nx-api-key: {key}\r\nanthropic-version: 2023-06-01\r\ncontent-type: application/json\r\naccept: */*\r\nuser-agent: bench\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn connect(to: &str) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends the request and reads the whole answer; gives the pieces of a chunked one.
async fn once(stream: &mut TcpStream, reader: &mut Reader, request: &[u8]) -> anyhow::Result<u64> {
    stream.write_all(request).await?;
    let head = reader.head(stream).await?.context("closed before an answer")?;
    if status(&head) != Some(200) {
        bail!("not a 200: {}", String::from_utf8_lossy(&head));
    }
    match length(&head)? {
        Length::Exactly(length) => {
            reader.exactly(stream, length).await?;
            Ok(1)
        }
        Length::Chunked => {
            let mut pieces = 0;
            while !reader.chunk(stream).await?.is_empty() {
                pieces += 1;
            }
            Ok(pieces)
        }
    }
}

async fn closed_loop(plan: &Arc<Plan>) -> anyhow::Result<String> {
    let (connections, requests) = (plan.number("connections")?, plan.number("requests")?);
    let left = Arc::new(AtomicU64::new(requests as u64));
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (plan, left) = (plan.clone(), left.clone());
        tasks.push(tokio::spawn(async move {
            let mut stream = connect(&plan.to).await?;
            let mut reader = Reader::new();
            let mut done = 0u64;
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok()
            {
                once(&mut stream, &mut reader, &plan.request).await?;
                done += 1;
            }
            anyhow::Ok(done)
        }));
    }
    let mut done = 0;
    for task in tasks {
        done += task.await??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(format!("{{\"done\":{done},\"seconds\":{seconds:.4}}}"))
}

/// Requests leave when they are due, whatever the answers do; latency counts from then.
async fn open_loop(plan: &Arc<Plan>) -> anyhow::Result<String> {
    let (rate, seconds, connections) =
        (plan.number("rate")?, plan.number("seconds")?, plan.number("connections")?);
    let total = rate * seconds;
    let pause = Duration::from_secs(1) / u32::try_from(rate)?;
    let begin = Instant::now() + Duration::from_millis(50);
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (plan, next) = (plan.clone(), next.clone());
        tasks.push(tokio::spawn(async move {
            let mut stream = connect(&plan.to).await?;
            let mut reader = Reader::new();
            let mut seen = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total as u64 {
                    return anyhow::Ok(seen);
                }
                let due = begin + pause * u32::try_from(number)?;
                sleep_until(due).await;
                once(&mut stream, &mut reader, &plan.request).await?;
                seen.push((due.elapsed().as_micros(), begin.elapsed().as_micros()));
            }
        }));
    }
    let mut seen = Vec::new();
    for task in tasks {
        seen.extend(task.await??);
    }
    let mut answered: Vec<_> = seen.iter().map(|(_, at)| *at).collect();
    answered.sort_unstable();
    let gap = answered.windows(2).map(|two| two[1] - two[0]).max().unwrap_or(0);
    seen.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let index = ((seen.len() - 1) as f64 * share) as usize;
        seen[index].0
    };
    Ok(format!(
        "{{\"done\":{},\"p50_us\":{},\"p99_us\":{},\"longest_gap_us\":{gap}}}",
        seen.len(),
        at(0.5),
        at(0.99)
    ))
}

async fn streams(plan: &Arc<Plan>) -> anyhow::Result<String> {
    let streams = plan.number("streams")?;
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..streams {
        let plan = plan.clone();
        tasks.push(tokio::spawn(async move {
            let mut stream = connect(&plan.to).await?;
            once(&mut stream, &mut Reader::new(), &plan.request).await
        }));
        sleep(Duration::from_millis(1)).await;
    }
    let mut pieces = 0;
    for task in tasks {
        pieces += task.await??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(format!("{{\"pieces\":{pieces},\"seconds\":{seconds:.4}}}"))
}

/// Opens streams, waits until each has sent its first piece, says so, and keeps them.
async fn hold(plan: &Arc<Plan>) -> anyhow::Result<String> {
    use std::io::Write;
    let (hold, seconds) = (plan.number("hold")?, plan.number("seconds")?);
    let opening = Arc::new(Semaphore::new(64));
    let mut tasks = Vec::new();
    for _ in 0..hold {
        let (plan, opening) = (plan.clone(), opening.clone());
        tasks.push(tokio::spawn(async move {
            let _one = opening.acquire().await?;
            let mut stream = connect(&plan.to).await?;
            let mut reader = Reader::new();
            stream.write_all(&plan.request).await?;
            let head = reader.head(&mut stream).await?.context("closed before an answer")?;
            if status(&head) != Some(200) {
                bail!("not a 200: {}", String::from_utf8_lossy(&head));
            }
            reader.chunk(&mut stream).await?;
            anyhow::Ok((stream, reader))
        }));
    }
    let mut open = Vec::new();
    for task in tasks {
        open.push(task.await??);
    }
    writeln!(std::io::stdout(), "{{\"open\":{}}}", open.len())?;
    std::io::stdout().flush()?;
    sleep(Duration::from_secs(seconds as u64)).await;
    Ok(format!("{{\"held\":{}}}", open.len()))
}
