//! The laws of a dialect, over every recorded answer: cutting, gathering, skimming, writing
//! again, and ending from a snapshot.

use tollgate_model::{Event, Fault, FaultKind, FinishReason, PartKind, Reply, Source, Usage};
use tollgate_wire::{Frame, Framing, Quirks, ReplyContext, Snapshot};

use crate::bench::{
    Recording, encoded, events, frames, gemini, recordings, report, short, streamed,
};

/// Small numbers that are scattered, the same in every run.
fn scattered(seed: usize, count: usize) -> Vec<usize> {
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 90).unwrap() + 1
    };
    (0..count).map(|_| draw()).collect()
}

fn streams() -> Vec<Recording> {
    let real =
        |recording: &Recording| recording.expect()["kind"] == "message" && recording.is_stream();
    recordings("gemini-generate").into_iter().filter(real).collect()
}

/// Frames come as server-sent events, and as the elements of one array.
fn framings(recording: &Recording) -> [(Framing, Vec<u8>); 2] {
    let sse = recording.answer();
    let data = frames(&sse, Framing::Sse, &[usize::MAX]).into_iter().map(|frame| frame.data);
    let elements: Vec<_> = data
        .filter(|data| !data.is_empty())
        .map(|data| String::from_utf8(data.to_vec()).unwrap())
        .collect();
    [(Framing::Sse, sse), (Framing::JsonArray, format!("[{}\n]", elements.join(",\r\n")).into())]
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_events() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for (number, recording) in streams().into_iter().enumerate() {
        for (framing, body) in framings(&recording) {
            let whole = streamed(&body, framing, &[usize::MAX]);
            let mut cuts = vec![scattered(number, 50), scattered(number + 1000, 7)];
            if number % 20 == 0 {
                cuts.push(vec![1]);
            }
            for cut in cuts {
                count += 1;
                if streamed(&body, framing, &cut) != whole {
                    failures.push(format!("{} {framing:?}", recording.file));
                }
            }
        }
    }
    report("cut streams", &failures, count);
}

#[test]
fn a_stream_of_one_array_gathers_to_the_same_reply() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for recording in streams() {
        let [(sse, as_sse), (array, as_array)] = framings(&recording);
        let one = Reply::gather(streamed(&as_sse, sse, &[usize::MAX]));
        let two = Reply::gather(streamed(&as_array, array, &[usize::MAX]));
        let buffered = gemini().decode_reply(&as_array, &Quirks::NONE).and_then(Reply::gather);
        count += 1;
        if one != two || one != buffered {
            failures.push(recording.file);
        }
    }
    report("arrays", &failures, count);
}

/// What is left when a reply was written and read again: figures in classes, not as said.
fn comparable(mut reply: Reply) -> Reply {
    reply.created = None;
    reply.usage = Usage { raw: None, stated_total: None, service_tier: None, ..reply.usage };
    for choice in &mut reply.choices {
        // Written with the next piece, or at the end.
        choice.citations.iter_mut().for_each(|(at, _)| *at = 0);
        choice.parts.retain(|part| {
            !matches!(&part.kind, PartKind::Native { json, .. }
                if json.get("groundingMetadata").or(json.get("urlContextMetadata")).is_some())
        });
        choice.parts.dedup_by(|after, before| match (&after.kind, &mut before.kind) {
            (PartKind::Text(after), PartKind::Text(before)) => {
                before.push_str(after);
                true
            }
            _ => false,
        });
    }
    reply
}

#[test]
fn every_answer_written_again_reads_the_same() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for recording in recordings("gemini-generate") {
        let Ok(events) = events(&recording) else { continue };
        let Ok(reply) = Reply::gather(events.clone()) else { continue };
        let (id, model) = ("made-up".to_owned(), "some-model".to_owned());
        let said = Reply {
            id: reply.id.clone().or(Some(id.clone())),
            model: reply.model.clone().or(Some(model.clone())),
            ..reply.clone()
        };
        let said = comparable(said);
        for json_array in [false, true] {
            let context = ReplyContext {
                id: id.clone(),
                model: model.clone(),
                json_array,
                ..ReplyContext::default()
            };
            let body = encoded(events.clone(), &context);
            let framing = if json_array { Framing::JsonArray } else { Framing::Sse };
            let again = Reply::gather(streamed(&body, framing, &[usize::MAX])).unwrap();
            count += 1;
            if comparable(again.clone()) != said {
                let at = parted(&said, &comparable(again));
                failures.push(format!("{} streamed: {at}", recording.file));
            }
        }
        let context = ReplyContext { id, model, ..ReplyContext::default() };
        let encoded = gemini().encode_reply(&reply, &context);
        let again = gemini().decode_reply(&encoded.body, &Quirks::NONE).unwrap();
        let again = Reply::gather(again).unwrap();
        count += 1;
        if comparable(again.clone()) != said {
            let at = parted(&said, &comparable(again));
            failures.push(format!("{} buffered: {at}", recording.file));
        }
    }
    report("written again", &failures, count);
}

fn parted(said: &Reply, again: &Reply) -> String {
    let (said, again) = (format!("{said:?}"), format!("{again:?}"));
    let at = said.bytes().zip(again.bytes()).take_while(|(a, b)| a == b).count();
    let part =
        |text: &str| short(&String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(60)..]));
    format!("{}\n    became {}", part(&said), part(&again))
}

#[test]
fn skimming_meters_as_reading_does() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for recording in recordings("gemini-generate") {
        if recording.expect()["kind"] != "message" {
            continue;
        }
        let read = events(&recording).and_then(Reply::gather).unwrap();
        let skimmed = if recording.is_stream() {
            let mut decoder = gemini().decode_stream(&Quirks::NONE);
            let mut out = Vec::new();
            for frame in frames(&recording.answer(), Framing::Sse, &[usize::MAX]) {
                decoder.skim(&frame, &mut out);
            }
            decoder.end(&mut out);
            out
        } else {
            gemini().skim_reply(&recording.answer(), &Quirks::NONE).unwrap()
        };
        assert!(skimmed.iter().all(Event::is_metered), "{}", recording.file);
        let skimmed = Reply::gather(skimmed).unwrap();
        let metered = |reply: &Reply| {
            let finish = reply.choices.iter().map(|choice| choice.finish).collect::<Vec<_>>();
            (reply.id.clone(), reply.model.clone(), reply.usage.clone(), finish)
        };
        count += 1;
        if metered(&read) != metered(&skimmed) {
            failures.push(format!(
                "{}: {:?} {:?}",
                recording.file,
                metered(&read),
                metered(&skimmed)
            ));
        }
    }
    report("skimmed", &failures, count);
}

/// Passes the first frames on as they came, and ends from the snapshot.
fn ended(frames: &[Frame], skim: bool, array: bool, last: &[Event]) -> (Vec<u8>, Snapshot) {
    let mut decoder = gemini().decode_stream(&Quirks::NONE);
    let (mut body, mut out) = (Vec::new(), Vec::new());
    for frame in frames {
        body.extend_from_slice(&frame.raw);
        match skim {
            true => decoder.skim(frame, &mut out),
            false => decoder.read(frame, &mut out),
        }
    }
    let snapshot = decoder.snapshot();
    let context = ReplyContext {
        id: "made-up".into(),
        model: "m".into(),
        json_array: array,
        ..ReplyContext::default()
    };
    let mut encoder = gemini().encode_stream(context, Some(snapshot.clone()));
    last.iter().for_each(|event| encoder.write(event.clone(), &mut body));
    (body, snapshot)
}

#[test]
fn a_stream_ended_from_its_snapshot_is_well_formed() {
    let mut count = 0;
    let cut = FinishReason::Length;
    let finish = Event::Finish { choice: 0, reason: cut, word: None, stop_sequence: None };
    let usage = Usage { input_tokens: Some(3), output_tokens: Some(5), ..Usage::default() };
    let fault = Fault::new(FaultKind::Timeout, Source::Upstream, "too late");
    for recording in streams() {
        for (framing, body) in framings(&recording) {
            let array = framing == Framing::JsonArray;
            let frames = frames(&body, framing, &[usize::MAX]);
            let frames: Vec<_> =
                frames.into_iter().filter(|frame| !frame.data.is_empty()).collect();
            for upto in 0..=frames.len() {
                let end = [finish.clone(), Event::Usage(usage.clone()), Event::End];
                let (body, snapshot) = ended(&frames[..upto], upto % 2 == 0, array, &end);
                let again = streamed(&body, framing, &[usize::MAX]);
                let reply = Reply::gather(again)
                    .unwrap_or_else(|fault| panic!("{} after {upto}: {fault}", recording.file));
                let done = snapshot.finished.contains(&0);
                assert_eq!(
                    reply.choices[0].finish == Some(cut),
                    !done || recording.expect()["finish"] == "length"
                );
                assert_eq!(reply.usage.total_output(), Some(5).max(reply.usage.total_output()));
                let broken = [Event::Fault(fault.clone())];
                let (body, _) = ended(&frames[..upto], upto % 2 == 1, array, &broken);
                let last = streamed(&body, framing, &[usize::MAX]).pop();
                let Some(Event::Fault(read)) = last else { panic!("a clean end: {last:?}") };
                assert_eq!((read.kind, read.message.as_str()), (FaultKind::Timeout, "too late"));
                count += 1;
            }
        }
    }
    println!("ended from a snapshot: {count}");
}

#[test]
fn a_stream_without_its_finish_never_ends_cleanly() {
    for recording in streams() {
        let frames = frames(&recording.answer(), Framing::Sse, &[usize::MAX]);
        let finish = b"\"finishReason\"";
        let unfinished =
            frames.iter().take_while(|frame| memchr::memmem::find(&frame.data, finish).is_none());
        for skim in [false, true] {
            let mut decoder = gemini().decode_stream(&Quirks::NONE);
            let mut out = Vec::new();
            for frame in unfinished.clone() {
                match skim {
                    true => decoder.skim(frame, &mut out),
                    false => decoder.read(frame, &mut out),
                }
            }
            decoder.end(&mut out);
            let Some(Event::Fault(fault)) = out.last() else { panic!("{}", recording.file) };
            assert_eq!(fault.kind, FaultKind::BadUpstream, "{}", recording.file);
        }
    }
}
