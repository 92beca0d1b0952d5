//! Lays pace and misbehaviour over a good answer, and gives the script to be played.

use super::{Fault, Manners};
use crate::dialect::Dialect;
use crate::script::{Frame, Part, Reply, Script, Step};
use crate::simulator::written;
use bytes::Bytes;
use std::time::Duration;

/// The script of `reply`, spoiled when `misbehave` and the manners say how.
pub(crate) fn play(reply: Reply, manners: &Manners, dialect: Dialect, misbehave: bool) -> Script {
    let fault = manners.fault.as_ref().filter(|_| misbehave);
    let mut script = Script {
        status: 200,
        headers: reply.headers,
        before: Vec::new(),
        steps: Vec::new(),
        received: None,
    };
    let Some(fault) = fault else {
        script.steps = paced(&reply.frames, manners.pace);
        script.steps.push(Step::Close);
        return script;
    };
    match fault {
        Fault::Silence => script.before.push(Step::Hang),
        Fault::ResetEarly => script.before.push(Step::Reset),
        Fault::SlowHead => script.before.push(Step::Pause(Duration::from_secs(2))),
        Fault::ErrorIn200 => return error_in_200(script, dialect),
        Fault::Html { status } => return html(*status),
        Fault::Redirect { host } => {
            return Script::whole(
                302,
                vec![("location".to_owned(), format!("http://{host}/"))],
                "",
            );
        }
        Fault::Empty => return Script::whole(200, script.headers, ""),
        Fault::Garbage => return Script::whole(200, script.headers, garbage()),
        _ => {}
    }
    script.steps = spoiled(fault, &reply.frames, reply.streamed, manners.pace, dialect);
    script
}

fn paced(frames: &[Frame], pace: Option<Duration>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(frames.len() * 2);
    for frame in frames {
        steps.extend(pace.map(Step::Pause));
        steps.push(Step::Send(frame.bytes.clone()));
    }
    steps
}

fn spoiled(
    fault: &Fault,
    frames: &[Frame],
    streamed: bool,
    pace: Option<Duration>,
    dialect: Dialect,
) -> Vec<Step> {
    let (kept, rest) = halves(frames, streamed);
    let mut steps = paced(&kept, pace);
    match fault {
        Fault::SilenceStream => {
            steps = paced(&opening(frames), pace).into_iter().chain([Step::Hang]).collect()
        }
        Fault::Stall => steps.push(Step::Hang),
        // What was sent before is read by the peer before it learns of the reset.
        Fault::Reset => steps.extend([Step::Pause(Duration::from_millis(20)), Step::Reset]),
        Fault::Cut => steps.push(Step::Cut),
        Fault::CleanEnd => steps.push(Step::Close),
        Fault::GarbageChunk => {
            steps.push(Step::Send(broken_frame(dialect, streamed)));
            steps.extend(paced(&rest, pace));
            steps.push(Step::Close);
        }
        Fault::ErrorInStream => {
            steps.push(Step::Send(error_frame(dialect, streamed)));
            steps.push(Step::Close);
        }
        Fault::NoTerminator => {
            steps = paced(&unterminated(frames, streamed), pace);
            steps.push(Step::Close);
        }
        Fault::Drip => {
            steps = drip(frames, pace);
            steps.push(Step::Close);
        }
        // Blanks before the document keep it valid and make its line as long as asked.
        Fault::HugeLine { bytes } if !streamed => {
            steps = vec![Step::Send(" ".repeat(*bytes).into())];
            steps.extend(paced(frames, pace));
            steps.push(Step::Close);
        }
        Fault::HugeLine { bytes } => {
            steps.push(Step::Send(huge(*bytes, dialect)));
            steps.extend(paced(&rest, pace));
            steps.push(Step::Close);
        }
        Fault::WrongJson => steps = vec![Step::Send(wrong_json(dialect, streamed)), Step::Close],
        _ => {
            steps.extend(paced(&rest, pace));
            steps.push(Step::Close);
        }
    }
    steps
}

/// The frames up to the middle of the content, and the rest. A buffered body is cut in two.
fn halves(frames: &[Frame], streamed: bool) -> (Vec<Frame>, Vec<Frame>) {
    if !streamed {
        let whole: Vec<u8> = frames.iter().flat_map(|f| f.bytes.iter().copied()).collect();
        let (first, second) = whole.split_at(whole.len() / 2);
        let frame = |half: &[u8]| vec![Frame::new(Part::Content, half.to_vec())];
        return (frame(first), frame(second));
    }
    let content = frames.iter().filter(|f| f.part == Part::Content).count();
    let mut seen = 0;
    let at = frames
        .iter()
        .position(|f| {
            seen += usize::from(f.part == Part::Content);
            seen > content.div_ceil(2) || matches!(f.part, Part::Ending | Part::Terminator)
        })
        .unwrap_or(frames.len());
    (frames[..at].to_vec(), frames[at..].to_vec())
}

fn opening(frames: &[Frame]) -> Vec<Frame> {
    frames.iter().take_while(|f| f.part == Part::Opening).cloned().collect()
}

/// Without what says that nothing follows; where a dialect has no such frame, without the finish.
fn unterminated(frames: &[Frame], streamed: bool) -> Vec<Frame> {
    if !streamed {
        let mut whole = frames.to_vec();
        if let Some(last) = whole.last_mut() {
            let bare = last.bytes.trim_ascii_end().len();
            last.bytes = last.bytes.slice(..bare.saturating_sub(1));
        }
        return whole;
    }
    let has = frames.iter().any(|f| f.part == Part::Terminator);
    let gone = if has { Part::Terminator } else { Part::Ending };
    frames.iter().filter(|f| f.part != gone).cloned().collect()
}

/// Byte by byte; after the first 64 KiB, which no reader can mistake, frame by frame.
fn drip(frames: &[Frame], pace: Option<Duration>) -> Vec<Step> {
    const MOST: usize = 64 << 10;
    let mut steps = Vec::new();
    for frame in frames {
        let single = frame.bytes.len().min(MOST.saturating_sub(steps.len()));
        for at in 0..single {
            steps.extend(pace.map(Step::Pause));
            steps.push(Step::Send(frame.bytes.slice(at..=at)));
        }
        if single < frame.bytes.len() {
            steps.push(Step::Send(frame.bytes.slice(single..)));
        }
    }
    steps
}

fn error_in_200(mut script: Script, dialect: Dialect) -> Script {
    let (headers, body) = written(dialect, &dialect.trouble(500, false));
    script.headers = headers;
    script.steps = vec![Step::Send(body.into()), Step::Close];
    script
}

fn html(status: u16) -> Script {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n";
    Script::whole(status, vec![("content-type".to_owned(), "text/html".to_owned())], page)
}

/// Bytes that are neither UTF-8 nor any frame.
fn garbage() -> Vec<u8> {
    (0..2048u32).map(|n| u8::try_from((n * 151 + 0x80) % 256).unwrap_or(0xff)).collect()
}

fn broken_frame(dialect: Dialect, streamed: bool) -> Bytes {
    if streamed { dialect.broken() } else { Bytes::from_static(b"\x00\xff{{garbage") }
}

fn error_frame(dialect: Dialect, streamed: bool) -> Bytes {
    if streamed { dialect.error_event() } else { dialect.error_inside().into() }
}

fn huge(bytes: usize, dialect: Dialect) -> Bytes {
    dialect.framed("content_block_delta", &dialect.delta(&"a".repeat(bytes)))
}

fn wrong_json(dialect: Dialect, streamed: bool) -> Bytes {
    let wrong =
        "{\"hello\":\"world\",\"choices\":\"none\",\"content\":7,\"candidates\":{\"0\":true}}";
    if streamed { dialect.framed("hello", wrong) } else { Bytes::from_static(wrong.as_bytes()) }
}
