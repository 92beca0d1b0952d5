//! Streams: cut anywhere, skimmed, and ended from a snapshot.

use tollgate_model::{Event, Fault, FinishReason, Reply, Source, Usage};

use crate::{Recording, answers::written_stream, frames, read_all, recordings, report};

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
    let all = recordings().into_iter().filter(Recording::is_stream);
    all.map(|recording| {
        let bytes = recording.bytes();
        (recording, bytes)
    })
    .collect()
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_events() {
    let (mut seen, mut wrong) = (0, Vec::new());
    let mut dice = Dice(7);
    for (number, (recording, text)) in streams().into_iter().enumerate() {
        let (dialect, quirks) = (recording.dialect, recording.quirks());
        let whole = read_all(dialect, &frames(dialect, &text, &[]), quirks);
        let mut ways: Vec<Vec<usize>> = Vec::new();
        let mut cuts: Vec<usize> = (0..12).map(|_| dice.roll(text.len())).collect();
        cuts.sort_unstable();
        ways.push(cuts);
        if number % 10 == 0 && text.len() < 8_000 {
            ways.extend((1..text.len()).map(|at| vec![at]));
            ways.push((1..text.len()).collect());
        }
        for cuts in ways {
            seen += 1;
            if read_all(dialect, &frames(dialect, &text, &cuts), quirks) != whole {
                wrong.push(format!("{}: cut at {:?}", recording.file, cuts.first()));
            }
        }
    }
    report("streams cut anywhere", seen, &wrong);
}

/// The provider's own object is kept only by who reads: metering counts, and builds no JSON.
fn metered(events: Vec<Event>) -> Vec<Event> {
    let metered = events.into_iter().filter(Event::is_metered);
    metered
        .map(|event| match event {
            Event::Usage(usage) => Event::Usage(Usage { raw: None, ..usage }),
            other => other,
        })
        .collect()
}

#[test]
fn skimming_tells_metering_what_reading_does() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for (recording, text) in streams() {
        seen += 1;
        let (dialect, quirks) = (recording.dialect, recording.quirks());
        let (mut reader, mut skimmer) =
            (dialect.decode_stream(quirks), dialect.decode_stream(quirks));
        let (mut read, mut skimmed) = (Vec::new(), Vec::new());
        for frame in frames(dialect, &text, &[]) {
            reader.read(&frame, &mut read);
            skimmer.skim(&frame, &mut skimmed);
            let [mut a, mut b] = [reader.snapshot(), skimmer.snapshot()];
            (a.usage.raw, b.usage.raw) = (None, None);
            if a != b {
                wrong.push(format!("{}: another snapshot: {a:?} {b:?}", recording.file));
                break;
            }
        }
        reader.end(&mut read);
        skimmer.end(&mut skimmed);
        let (read, skimmed) = (metered(read), metered(skimmed));
        if read != skimmed {
            wrong.push(format!("{}: {read:?} became {skimmed:?}", recording.file));
        }
    }
    for recording in recordings() {
        if recording.is_stream() || recording.exchange["response"]["status"] != 200 {
            continue;
        }
        seen += 1;
        let (bytes, quirks) = (recording.bytes(), recording.quirks());
        let read = recording.dialect.decode_reply(&bytes, quirks).map(metered);
        let skimmed = recording.dialect.skim_reply(&bytes, quirks).map(metered);
        if read != skimmed {
            wrong.push(format!("{}: {read:?} became {skimmed:?}", recording.file));
        }
    }
    report("answers skimmed as read", seen, &wrong);
}

#[test]
fn a_stream_ended_from_its_snapshot_is_well_formed() {
    let (mut seen, mut wrong) = (0, Vec::new());
    let mut dice = Dice(11);
    for (recording, text) in streams() {
        let (dialect, quirks) = (recording.dialect, recording.quirks());
        let frames_of = frames(dialect, &text, &[]);
        let mut cuts: Vec<usize> = (0..6).map(|_| dice.roll(frames_of.len() + 1)).collect();
        cuts.push(0);
        for at in cuts {
            let mut decoder = dialect.decode_stream(quirks);
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
            whole.extend(written_stream(dialect, cut.to_vec(), Some(snapshot.clone())));
            match Reply::gather(read_all(dialect, &frames(dialect, &whole, &[]), quirks)) {
                Ok(reply) if reply.choices.iter().all(|choice| choice.finish.is_some()) => {}
                other => wrong.push(format!("{}: cut after {at}: {other:?}", recording.file)),
            }
            let broken = vec![Event::Fault(Fault::bad_upstream("it broke"))];
            sent.extend(written_stream(dialect, broken, Some(snapshot)));
            match Reply::gather(read_all(dialect, &frames(dialect, &sent, &[]), quirks)) {
                Err(fault) if fault.source == Source::Upstream && fault.message == "it broke" => {}
                other => wrong.push(format!("{}: broken after {at}: {other:?}", recording.file)),
            }
        }
    }
    report("streams ended from a snapshot", seen, &wrong);
}

#[test]
fn an_error_inside_a_stream_is_a_fault_with_what_was_said() {
    let error = "the runner has ended";
    for (id, stream) in [
        (
            "ollama-chat",
            "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"a\"},\"done\":false}\n\
             {\"error\":\"the runner has ended\"}\n",
        ),
        (
            "cohere-v2",
            "data: {\"type\":\"message-start\",\"id\":\"x\",\"delta\":{\"message\":{}}}\n\n\
             data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\
             \"error\":\"the runner has ended\"}}\n\ndata: [DONE]\n\n",
        ),
        (
            "openai-completions",
            "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"text\":\"a\"}]}\n\n\
             data: {\"error\":{\"message\":\"the runner has ended\"}}\n\n",
        ),
    ] {
        let dialect = crate::spoken(id);
        let quirks = &tollgate_wire::Quirks::NONE;
        let events = read_all(dialect, &frames(dialect, stream.as_bytes(), &[]), quirks);
        let Err(fault) = Reply::gather(events) else { panic!("{id}: no fault") };
        assert_eq!(fault.message, error, "{id}");
        assert!(fault.upstream.is_some(), "{id}");
        // Told again in the dialect, it is the same.
        let told = written_stream(dialect, vec![Event::Fault(fault)], None);
        let events = read_all(dialect, &frames(dialect, &told, &[]), quirks);
        assert_eq!(Reply::gather(events).unwrap_err().message, error, "{id}");
        for broken in ["", "data: {\n\n", "{\n", "data: x\n\n"] {
            let events = read_all(dialect, &frames(dialect, broken.as_bytes(), &[]), quirks);
            assert!(Reply::gather(events).is_err(), "{id}: {broken:?}");
        }
    }
}
