//! Streams: cut anywhere, skimmed, and ended from a snapshot.

use tollgate_model::{Event, Fault, FinishReason, Reply, Source, Usage};

use crate::{Recording, context, frames, quirks, read_all, recordings, report, responses};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }
}

fn streams() -> Vec<(Recording, Vec<u8>)> {
    let all = recordings().into_iter().filter_map(|recording| {
        let body = &recording.exchange["response"]["body"];
        if body["kind"] != "sse" {
            return None;
        }
        let text = body["text"].as_str()?.as_bytes().to_vec();
        Some((recording, text))
    });
    all.collect()
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_events() {
    let (mut seen, mut wrong) = (0, Vec::new());
    let mut dice = Dice(7);
    for (number, (recording, text)) in streams().into_iter().enumerate() {
        let quirks = quirks(&recording.provider);
        let whole = read_all(&frames(&text, &[]), quirks);
        let mut ways: Vec<Vec<usize>> = Vec::new();
        let mut cuts: Vec<usize> = (0..12).map(|_| dice.roll(text.len())).collect();
        cuts.sort_unstable();
        ways.push(cuts);
        if number % 40 == 0 && text.len() < 20_000 {
            ways.extend((1..text.len()).map(|at| vec![at]));
            ways.push((1..text.len()).collect());
        }
        for cuts in ways {
            seen += 1;
            if read_all(&frames(&text, &cuts), quirks) != whole {
                wrong.push(format!("{}: cut at {:?}", recording.file, cuts.first()));
            }
        }
    }
    report("streams cut anywhere", seen, &wrong);
}

/// The provider's own object is kept only by who reads: metering counts, and builds no JSON.
fn without_raw(events: &mut [Event]) {
    for event in events {
        if let Event::Usage(usage) = event {
            usage.raw = None;
        }
    }
}

#[test]
fn skimming_tells_metering_what_reading_does() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for (recording, text) in streams() {
        seen += 1;
        let quirks = quirks(&recording.provider);
        let (mut reader, mut skimmer) =
            (responses().decode_stream(quirks), responses().decode_stream(quirks));
        let (mut read, mut skimmed) = (Vec::new(), Vec::new());
        for frame in frames(&text, &[]) {
            reader.read(&frame, &mut read);
            skimmer.skim(&frame, &mut skimmed);
            let [mut a, mut b] = [reader.snapshot(), skimmer.snapshot()];
            (a.usage.raw, b.usage.raw) = (None, None);
            if a != b {
                wrong.push(format!("{}: another snapshot", recording.file));
                break;
            }
        }
        reader.end(&mut read);
        skimmer.end(&mut skimmed);
        read.retain(Event::is_metered);
        without_raw(&mut read);
        without_raw(&mut skimmed);
        if read != skimmed {
            wrong.push(format!("{}: {read:?} became {skimmed:?}", recording.file));
        }
    }
    for recording in recordings() {
        let response = &recording.exchange["response"];
        if response["body"]["kind"] != "json" || response["status"] != 200 {
            continue;
        }
        seen += 1;
        let bytes = response["body"]["json"].to_string();
        let quirks = quirks(&recording.provider);
        let mut read = responses().decode_reply(bytes.as_bytes(), quirks);
        let mut skimmed = responses().skim_reply(bytes.as_bytes(), quirks);
        if let Ok(events) = &mut read {
            events.retain(Event::is_metered);
        }
        for events in [&mut read, &mut skimmed].into_iter().flatten() {
            without_raw(events);
        }
        if read != skimmed {
            wrong.push(format!("{}: {read:?} became {skimmed:?}", recording.file));
        }
    }
    report("answers skimmed as read", seen, &wrong);
}

pub(crate) fn written_stream(
    events: Vec<Event>,
    resume: Option<tollgate_wire::Snapshot>,
) -> Vec<u8> {
    let mut encoder = responses().encode_stream(context(), resume);
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    out
}

#[test]
fn a_stream_ended_from_its_snapshot_is_well_formed() {
    let (mut seen, mut wrong) = (0, Vec::new());
    let mut dice = Dice(11);
    for (recording, text) in streams() {
        let quirks = quirks(&recording.provider);
        let frames_of = frames(&text, &[]);
        let mut cuts: Vec<usize> = (0..3).map(|_| dice.roll(frames_of.len() + 1)).collect();
        cuts.push(0);
        for at in cuts {
            let mut decoder = responses().decode_stream(quirks);
            let mut skimmed = Vec::new();
            let mut sent = Vec::new();
            for frame in &frames_of[..at] {
                decoder.skim(frame, &mut skimmed);
                sent.extend_from_slice(&frame.raw);
            }
            if skimmed.iter().any(|event| matches!(event, Event::End | Event::Fault(_))) {
                continue;
            }
            seen += 1;
            let snapshot = decoder.snapshot();
            let cut = [
                Event::Finish {
                    choice: 0,
                    reason: FinishReason::Length,
                    word: None,
                    stop_sequence: None,
                },
                Event::Usage(Usage { output_tokens: Some(3), ..Usage::default() }),
                Event::End,
            ];
            let mut whole = sent.clone();
            whole.extend(written_stream(cut.to_vec(), Some(snapshot.clone())));
            match Reply::gather(read_all(&frames(&whole, &[]), quirks)) {
                Ok(reply) if reply.choices.iter().all(|choice| choice.finish.is_some()) => {}
                other => wrong.push(format!("{}: cut after {at}: {other:?}", recording.file)),
            }
            let broken = vec![Event::Fault(Fault::bad_upstream("it broke"))];
            sent.extend(written_stream(broken, Some(snapshot)));
            match Reply::gather(read_all(&frames(&sent, &[]), quirks)) {
                Err(fault) if fault.source == Source::Upstream && fault.message == "it broke" => {}
                other => wrong.push(format!("{}: broken after {at}: {other:?}", recording.file)),
            }
        }
    }
    report("streams ended from a snapshot", seen, &wrong);
}
