#!/usr/bin/env python3
"""The checks against a real llama.cpp server, run by the interpreter that has the newest SDKs.

Each answer through the gateway is compared with what the server says when it is asked directly.
"""
import http.client
import json
import socket
import sys
import time
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

from anthropic_sdk import Anthropic  # noqa: E402
from exchange import Ask, Turn  # noqa: E402
from google_sdk import Google  # noqa: E402
from openai_sdk import OpenAI  # noqa: E402

TARGETS = json.loads(Path(sys.argv[1]).read_text())
MODEL = "tiny"
TURNS = ("the weather in Paris", " sun and rain", "and the time in London?")
SYSTEM = "answer with one word"
CAP = 12
# The SDKs of today have no argument for the temperature any more; the wire has.
COLD = {
    "openai": {"temperature": 0, "seed": 7},
    "anthropic": {"temperature": 0},
    "google-genai": {"generationConfig": {"temperature": 0, "seed": 7, "maxOutputTokens": CAP}},
}
# More than the server serves on one connection.
CALLS = 300


def directly(path: str, body: dict, root: str | None = None) -> dict:
    request = urllib.request.Request(
        (root or TARGETS["chat"]) + path, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def expected() -> dict:
    roles = ("user", "assistant")
    messages = [{"role": "system", "content": SYSTEM}]
    messages += [{"role": roles[at % 2], "content": text} for at, text in enumerate(TURNS)]
    return directly("/v1/chat/completions", {
        "model": "tiny-llama", "messages": messages, "max_tokens": CAP, "temperature": 0, "seed": 7})


def same_answer(adapter, stream: bool) -> None:
    wanted = expected()
    roles = ("user", "assistant")
    got = adapter.ask(Ask(
        model=MODEL, stream=stream, system=SYSTEM, max_tokens=CAP, raw=COLD[adapter.name],
        turns=tuple(Turn(roles[at % 2], text) for at, text in enumerate(TURNS))))
    choice = wanted["choices"][0]
    equal(got.text, choice["message"]["content"], "text")
    equal(got.finish, choice["finish_reason"], "finish")
    equal(got.input_tokens, wanted["usage"]["prompt_tokens"], "input tokens")
    equal(got.output_tokens, wanted["usage"]["completion_tokens"], "output tokens")
    if stream:
        assert got.text_pieces > 3, f"came in {got.text_pieces} pieces"


def embeddings(encoding: str | None) -> None:
    texts = ["the red sun", "a small green city"]
    wanted = directly("/v1/embeddings", {"model": "tiny-llama", "input": texts}, TARGETS["embedding"])
    vectors, tokens = openai().embed("llama-embedding/tiny-llama", texts, encoding)
    equal(tokens, wanted["usage"]["prompt_tokens"], "input tokens")
    for row, vector in zip(wanted["data"], vectors, strict=True):
        assert len(row["embedding"]) == len(vector) > 8, f"{len(vector)} numbers"
        worst = max(abs(a - b) for a, b in zip(row["embedding"], vector, strict=True))
        assert worst < 1e-5, f"differs by {worst}"


def models() -> None:
    assert "tiny" in openai().models(), openai().models()


def many_calls_in_a_row() -> None:
    """The server closes a connection after a hundred answers; nobody may notice."""
    client = openai()
    for at in range(CALLS):
        got = client.ask(short(stream=at % 2 == 1))
        equal(got.output_tokens, 1, f"output tokens of call {at}")


def many_calls_at_once() -> None:
    client = openai()
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda at: client.ask(short(stream=at % 2 == 1)), range(CALLS)))
    equal([got.output_tokens for got in answers], [1] * CALLS, "output tokens")


def calls_after_idleness() -> None:
    """The server closes idle connections; a call sent just then is sent again on a fresh one."""
    client = openai()
    watched = idle_connection()
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda _: client.ask(short()), range(8)))
    closed_after = until_closed(watched)
    assert closed_after is not None, "the server never closed an idle connection: nothing was tested"
    for _ in range(4):
        equal(client.ask(short()).output_tokens, 1, f"output tokens after {closed_after:.1f} s")


def idle_connection() -> socket.socket:
    where = urlsplit(TARGETS["chat"])
    connection = http.client.HTTPConnection(where.hostname, where.port)
    connection.request("GET", "/health")
    connection.getresponse().read()
    return connection.sock


def until_closed(watched: socket.socket, seconds: float = 15) -> float | None:
    began = time.monotonic()
    watched.settimeout(seconds)
    try:
        return time.monotonic() - began if watched.recv(1) == b"" else None
    except TimeoutError:
        return None


def short(stream: bool = False) -> Ask:
    return Ask(model=MODEL, turns=(Turn("user", "hello"),), max_tokens=1, stream=stream)


def openai() -> OpenAI:
    return OpenAI(TARGETS["root"], TARGETS["key"], 20)


def equal(found, wanted, what: str) -> None:
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"


def checks():
    for kind in (OpenAI, Anthropic, Google):
        adapter = kind(TARGETS["root"], TARGETS["key"], 20)
        for stream in (False, True):
            name = f"{kind.name} {'streamed' if stream else 'whole'}"
            yield name, lambda adapter=adapter, stream=stream: same_answer(adapter, stream)
    yield "embeddings float", lambda: embeddings("float")
    yield "embeddings base64", lambda: embeddings(None)
    yield "models", models
    yield f"{CALLS} calls in a row", many_calls_in_a_row
    yield f"{CALLS} calls, eight at once", many_calls_at_once
    yield "calls after idleness", calls_after_idleness


def main() -> int:
    with Path(sys.argv[2]).open("w") as out:
        for name, check in checks():
            row = {"name": f"llama: {name}", "status": "passed"}
            began = time.monotonic()
            try:
                check()
            except Exception as error:
                at = traceback.extract_tb(error.__traceback__)[-1]
                row |= {"status": "failed", "why": f"{type(error).__name__}: {error!s:.400} ({at.name})"}
            out.write(json.dumps(row | {"seconds": round(time.monotonic() - began, 3)}) + "\n")
    return 0


sys.exit(main())
