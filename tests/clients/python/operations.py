"""Cases of the OpenAI and Anthropic SDKs beside chat: what travels as it is. A part of the table in
cases.py.

What the simulated provider answers stands in docs/simulated-provider.md.
"""
import base64
import io
import json
import time

SOUND = b"RIFF" + bytes(64_000)


def check(found, what: str) -> None:
    assert found, what


def moderate(bench, stream: bool) -> None:
    reply = bench.adapter.client.moderations.create(
        model=bench.named("omni-moderation-latest"), input=["harm", "peace"])
    found = [result.flagged for result in reply.results]
    check(found == [True, False], f"flagged: {found}")


def draw(bench, stream: bool) -> None:
    images = bench.adapter.client.images
    model = bench.named("gpt-image-1")
    if not stream:
        reply = images.generate(model=model, prompt="a circle", n=2)
        check(len(reply.data) == 2, reply)
        check(base64.b64decode(reply.data[0].b64_json).startswith(b"\x89PNG"), "no picture")
        return
    events = images.generate(model=model, prompt="a circle", stream=True, partial_images=2)
    kinds = [event.type for event in events]
    check(kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"], kinds)


def redraw(bench, stream: bool) -> None:
    images = bench.adapter.client.images
    edited = images.edit(model=bench.named("gpt-image-1"), prompt="redder", image=picture())
    check(edited.data[0].b64_json, edited)
    varied = images.create_variation(model=bench.named("dall-e-2"), image=picture())
    check(varied.data[0].url, varied)


def picture() -> io.BytesIO:
    file = io.BytesIO(b"\x89PNG")
    file.name = "a.png"
    return file


def speak(bench, stream: bool) -> None:
    speech = bench.adapter.client.audio.speech
    arguments = {"model": bench.named("tts-1"), "input": "Good morning", "voice": "alloy"}
    if not stream:
        check(len(speech.create(**arguments).content) > 500, "no sound")
        return
    with speech.with_streaming_response.create(**arguments) as reply:
        check(sum(len(piece) for piece in reply.iter_bytes()) > 500, "no sound")


def hear(bench, stream: bool) -> None:
    audio = bench.adapter.client.audio
    file = ("a.wav", SOUND, "audio/wav")
    if stream:
        events = audio.transcriptions.create(
            model=bench.named("gpt-4o-transcribe"), file=file, stream=True)
        last = [event for event in events][-1]
        check(last.type == "transcript.text.done" and "64004 bytes" in last.text, last)
        return
    heard = audio.transcriptions.create(model=bench.named("whisper-1"), file=file)
    check("64004 bytes" in heard.text, heard)
    lines = audio.transcriptions.create(
        model=bench.named("whisper-1"), file=file, response_format="srt")
    check(lines.startswith("1\n00:00"), lines)
    check(audio.translations.create(model=bench.named("whisper-1"), file=file).text, "nothing")


def holder(bench) -> dict:
    """Files name no model; a header says who is to hold them."""
    return {"x-tollgate-provider": bench.prefix.rstrip("/")} if bench.prefix else {}


def files(bench, stream: bool) -> None:
    kept = bench.adapter.client.with_options(default_headers=holder(bench)).files
    made = kept.create(file=("notes.txt", b"some notes"), purpose="user_data")
    check(kept.retrieve(made.id).filename == "notes.txt", made)
    check(kept.content(made.id).content == b"some notes", "another content")
    check(made.id in [file.id for file in kept.list()], "not in the list")
    check(kept.delete(made.id).deleted, made)
    gone(bench, made.id)


def gone(bench, id: str) -> None:
    try:
        bench.adapter.client.with_options(default_headers=holder(bench)).files.retrieve(id)
    except bench.adapter.errors["not_found"]:
        return
    raise AssertionError("a deleted file is still there")


def batches(bench, stream: bool) -> None:
    client = bench.adapter.client.with_options(default_headers=holder(bench))
    line = {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": {
        "model": bench.named(bench.model), "messages": [{"role": "user", "content": "say 3 words"}]}}
    lines = client.files.create(
        file=("lines.jsonl", json.dumps(line).encode()), purpose="batch")
    made = client.batches.create(
        input_file_id=lines.id, endpoint="/v1/chat/completions", completion_window="24h")
    until = time.monotonic() + 10
    while made.status != "completed" and time.monotonic() < until:
        made = client.batches.retrieve(made.id)
    answered = json.loads(client.files.content(made.output_file_id).text)
    said = answered["response"]["body"]["choices"][0]["message"]["content"]
    check(said == "word1 word2 word3", answered)
    check(made.id in [batch.id for batch in client.batches.list()], "not in the list")


def message_batches(bench, stream: bool) -> None:
    kept = bench.adapter.client.messages.batches
    made = kept.create(requests=[{"custom_id": "one", "params": {
        "model": bench.named(bench.model), "max_tokens": 50,
        "messages": [{"role": "user", "content": "say 3 words"}]}}])
    until = time.monotonic() + 10
    while made.processing_status != "ended" and time.monotonic() < until:
        made = kept.retrieve(made.id)
    # The SDK reads them where the batch says that they are.
    results = list(kept.results(made.id))
    said = results[0].result.message.content[0].text
    check(len(results) == 1 and said == "word1 word2 word3", results)
    # It went where its model leads; a list names no model.
    there = bench.adapter.client.with_options(default_headers=holder(bench)).messages.batches
    check(made.id in [batch.id for batch in there.list()], "not in the list")
    check(kept.delete(made.id).type == "message_batch_deleted", made)
    check(made.id not in [batch.id for batch in there.list()], "still in the list")


def stored_responses(bench, stream: bool) -> None:
    kept = bench.adapter.client.responses
    model = bench.named(bench.model)
    first = kept.create(model=model, input="say 3 words")
    items = list(kept.input_items.list(first.id))
    check(items[0].content[0].text == "say 3 words", items)
    check(kept.retrieve(first.id).output_text == first.output_text, "another answer")
    shorter = kept.compact(model=model, previous_response_id=first.id)
    kinds = [item.type for item in shorter.output]
    check(kinds == ["message", "compaction"] and shorter.usage.input_tokens > 0, shorter)
    onward = kept.create(model=model, input=[
        *[item.model_dump(exclude_none=True, warnings=False) for item in shorter.output],
        {"role": "user", "content": "say 2 words"}])
    check(onward.output_text == "word1 word2", onward)
    later = kept.create(model=model, input="say 3 words", background=True)
    check(kept.cancel(later.id).status == "cancelled", later)
    kept.delete(first.id)
    try:
        kept.input_items.list(first.id)
    except bench.adapter.errors["not_found"]:
        return
    raise AssertionError("the items of a deleted response are still there")


WHOLE = ("whole",)
BOTH = ("whole", "streamed")
# What an SDK must be able to do, the case's name, its check, and its modes.
OPERATIONS = [
    ("operations", "moderate", moderate, WHOLE),
    ("operations", "draw", draw, BOTH),
    ("operations", "redraw", redraw, WHOLE),
    ("operations", "speak", speak, BOTH),
    ("operations", "hear", hear, BOTH),
    ("operations", "files", files, WHOLE),
    ("operations", "batches", batches, WHOLE),
    # Results are read at an address that the provider tells: straight, it is none.
    ("message-batches", "message-batches", message_batches, WHOLE),
    ("stored-responses", "stored-responses", stored_responses, WHOLE),
]
OWN_DIALECT_ONLY = {needs for needs, *_ in OPERATIONS}
ONLY_THROUGH = {"message-batches"}
