"""The table of cases: what every SDK must see, whichever dialect the provider speaks.

A case is a function of a `Bench` and whether the answer is streamed. It asks through the neutral
language of exchange.py and asserts; what the simulated provider answers to which words stands in
docs/simulated-provider.md.
"""
import base64
import contextlib
import json
import time
from dataclasses import dataclass, replace
from typing import Callable

from exchange import Answer, Ask, Tool, Turn
from operations import ONLY_THROUGH, OPERATIONS

# A red dot of one pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        "additionalProperties": False}
WEATHER = Tool("get_weather", "The weather of a city", CITY)
CLOCK = Tool("get_time", "The time in a city", CITY)
ANSWER = {"type": "object", "additionalProperties": False, "required": ["city", "degrees", "sunny"],
          "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"},
                         "sunny": {"type": "boolean"}}}
# What the gateway gives a silent provider in the test configuration: until the first token of a
# stream, and for a whole answer.
SILENCE_SECONDS = {"streamed": 1.0, "whole": 3.0}


@dataclass
class Bench:
    """An SDK pointed at one provider."""
    adapter: object  # an Adapter of exchange.py
    prefix: str  # goes before a model's name
    model: str
    dialect: str  # which the provider speaks
    embedding_model: str | None = None
    another: Callable[[str], object] | None = None  # an adapter of the same kind with another key
    limited_key: str = ""  # a key that may make one call a day; none straight at the provider

    def named(self, model: str) -> str:
        return self.prefix + model

    def ask(self, *texts: str, **more) -> Ask:
        """An Ask of user and assistant turns, in turn."""
        roles = ("user", "assistant")
        turns = tuple(Turn(roles[at % 2], text) for at, text in enumerate(texts))
        model = self.named(more.pop("model", self.model))
        return Ask(model=model, turns=turns, **more)

    def faulty(self, fault: str, stream: bool) -> Ask:
        return self.ask("Please say 30 words", model=f"{self.model}-fault-{fault}", stream=stream)

    def impatient(self) -> "Bench":
        """The same provider under the name that has short timeouts."""
        return replace(self, prefix=self.prefix.replace("sim-", "late-"))

    def with_key(self, key: str) -> "Bench":
        return replace(self, adapter=self.another(key))


def equal(found, wanted, what: str) -> None:
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"


def counted(answer: Answer) -> None:
    assert answer.input_tokens and answer.input_tokens > 0, f"input tokens: {answer.input_tokens}"
    assert answer.output_tokens and answer.output_tokens > 0, f"output tokens: {answer.output_tokens}"


# Answers.

def plain(bench: Bench, stream: bool) -> None:
    answer = bench.adapter.ask(bench.ask("Good morning", stream=stream))
    equal(answer.text, "You said: Good morning", "text")
    equal(answer.finish, "stop", "finish")
    counted(answer)


def scripts(bench: Bench, stream: bool) -> None:
    said = "Zürich 東京 \U0001f44b\U0001f3fd \"quoted\" back\\slash\ttab"
    answer = bench.adapter.ask(bench.ask(said, stream=stream))
    equal(answer.text, f"You said: {said}", "text")


def pieces(bench: Bench, stream: bool) -> None:
    answer = bench.adapter.ask(bench.ask("Please say 40 words", stream=stream))
    equal(answer.text, " ".join(f"word{n}" for n in range(1, 41)), "text")
    if stream:
        assert answer.text_pieces > 3, f"came in {answer.text_pieces} pieces"


def conversation(bench: Bench, stream: bool) -> None:
    bare = bench.adapter.ask(bench.ask("And now?", stream=stream))
    ask = bench.ask("One", "Two", "And now?", stream=stream, system="Answer in as few words as you can.")
    answer = bench.adapter.ask(ask)
    equal(answer.text, "You said: And now?", "text")
    assert answer.input_tokens > bare.input_tokens + 8, (
        f"system and earlier turns were not read: {answer.input_tokens} after {bare.input_tokens}")


def cut_by_cap(bench: Bench, stream: bool) -> None:
    answer = bench.adapter.ask(bench.ask("Please say 90 words", stream=stream, max_tokens=16))
    equal(answer.finish, "length", "finish")
    assert answer.text.startswith("word1 word2") and "word40" not in answer.text, answer.text
    assert answer.output_tokens <= 16, f"{answer.output_tokens} tokens"


def tools(bench: Bench, stream: bool) -> None:
    ask = bench.ask('call get_weather with {"city":"Paris"}', tools=(WEATHER, CLOCK), stream=stream)
    first = bench.adapter.ask(ask)
    equal([(c.name, c.arguments) for c in first.calls], [("get_weather", {"city": "Paris"})], "calls")
    equal(first.finish, "tool_calls", "finish")
    counted(first)
    second = bench.adapter.ask(bench.adapter.follow_up(ask, first, {"get_weather": "18 degrees"}))
    assert second.text.startswith("The tool get_weather returned: "), second.text
    assert "18 degrees" in second.text, second.text
    equal(second.finish, "stop", "finish")


def tool_demanded(bench: Bench, stream: bool) -> None:
    answer = bench.adapter.ask(
        bench.ask("Hello", tools=(WEATHER,), must_call=True, stream=stream))
    equal([c.name for c in answer.calls], ["get_weather"], "calls")
    assert "city" in answer.calls[0].arguments, answer.calls


def tool_left_alone(bench: Bench, stream: bool) -> None:
    answer = bench.adapter.ask(bench.ask("Hello", tools=(WEATHER,), stream=stream))
    equal(answer.calls, [], "calls")
    equal(answer.finish, "stop", "finish")


def parallel_tools(bench: Bench, stream: bool) -> None:
    ask = bench.ask('call get_weather with {"city":"Oslo"} and get_time with {"city":"Lima"}',
                    tools=(WEATHER, CLOCK), stream=stream)
    first = bench.adapter.ask(ask)
    equal([(c.name, c.arguments) for c in first.calls],
          [("get_weather", {"city": "Oslo"}), ("get_time", {"city": "Lima"})], "calls")
    ids = [c.id for c in first.calls if c.id]
    equal(len(ids), len(set(ids)), "distinct call ids")
    results = {"get_weather": "sleet", "get_time": "noon"}
    second = bench.adapter.ask(bench.adapter.follow_up(ask, first, results))
    assert "sleet" in second.text and "noon" in second.text, second.text
    assert second.text.index("get_weather") < second.text.index("get_time"), second.text


def long_arguments(bench: Bench, stream: bool) -> None:
    city = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch \"é\" \\ 東京"
    said = "call get_weather with " + json.dumps({"city": city})
    answer = bench.adapter.ask(bench.ask(said, tools=(WEATHER,), stream=stream))
    equal([c.arguments for c in answer.calls], [{"city": city}], "arguments")
    if stream and bench.dialect != "gemini-generate" and bench.adapter.name != "google-genai":
        assert answer.argument_pieces > 1, "the arguments were not streamed"


def structured(bench: Bench, stream: bool) -> None:
    answer = bench.adapter.ask(bench.ask("The weather in Paris", schema=ANSWER, stream=stream))
    given = json.loads(answer.text)
    equal(sorted(given), ["city", "degrees", "sunny"], "fields")
    equal([type(given[name]) for name in sorted(given)], [str, int, bool], "types")


def vision(bench: Bench, stream: bool) -> None:
    ask = Ask(model=bench.named(bench.model), stream=stream,
              turns=(Turn("user", "What is this?", png=PNG),))
    answer = bench.adapter.ask(ask)
    assert "1 file: image/png" in answer.text, answer.text


def thinking(bench: Bench, stream: bool) -> None:
    answer = bench.adapter.ask(bench.ask("Ponder this", thinking=True, stream=stream))
    equal(answer.text, "You said: Ponder this", "text")
    # Responses summarizes thoughts only for who asks for it in so many words.
    shown = bench.dialect != "openai-responses" or family(bench) not in {"anthropic", "bedrock"}
    if "thinking-text" in bench.adapter.features and bench.dialect != "openai-chat" and shown:
        assert "Ponder" in answer.reasoning, f"reasoning: {answer.reasoning!r}"
    else:  # Chat Completions counts reasoning and keeps it to itself.
        assert answer.reasoning or answer.reasoning_tokens or answer.output_tokens > 8, "no sign of reasoning"


def thinking_before_tools(bench: Bench, stream: bool) -> None:
    """Signatures and encrypted thoughts come back to the provider that made them."""
    ask = bench.ask('call get_weather with {"city":"Rome"}', tools=(WEATHER,), thinking=True,
                    stream=stream)
    first = bench.adapter.ask(ask)
    equal([c.arguments for c in first.calls], [{"city": "Rome"}], "arguments")
    second = bench.adapter.ask(bench.adapter.follow_up(ask, first, {"get_weather": "warm"}))
    assert "warm" in second.text, second.text


# Beside chat.

def embeddings(bench: Bench, encoding: str | None) -> None:
    vectors, tokens = bench.adapter.embed(
        bench.named(bench.embedding_model), ["first text", "second text"], encoding)
    equal(len(vectors), 2, "vectors")
    if bench.dialect == "openai-chat" and bench.adapter.name == "openai":
        assert tokens and tokens > 0, f"input tokens: {tokens}"
    assert len(vectors[0]) == len(vectors[1]) > 8, [len(vector) for vector in vectors]
    assert vectors[0] != vectors[1] and all(isinstance(n, float) for n in vectors[0]), vectors[0][:3]
    floats, _ = bench.adapter.embed(
        bench.named(bench.embedding_model), ["first text"], "float")
    assert all(abs(a - b) < 1e-5 for a, b in zip(vectors[0], floats[0], strict=True)), "encodings differ"


def counting(bench: Bench) -> None:
    if bench.dialect == "openai-chat":  # Chat Completions counts nothing: refused, and not guessed.
        try:
            bench.adapter.count(bench.ask("Hello"))
        except bench.adapter.errors["bad_request"] as refused:
            assert "count_tokens" in str(refused), refused
            return
        raise AssertionError("counted by a provider that cannot count")
    short = bench.adapter.count(bench.ask("Hello"))
    long = bench.adapter.count(bench.ask("Hello, and then a good deal more than that to count"))
    assert 0 < short < long, (short, long)


def models(bench: Bench) -> None:
    listed = bench.adapter.models()
    assert listed, "an empty list"


# Faults.

def wrong_key(bench: Bench, stream: bool) -> None:
    raises(bench.with_key("sk-wrong"), {"unauthenticated"}, bench.ask("Hello", stream=stream))


def unknown_model(bench: Bench, stream: bool) -> None:
    ask = bench.ask("Hello", stream=stream).but(model="no-such-model")
    error = raises(bench, {"not_found"}, ask)
    assert "no-such-model" in str(error), error


def bad_request(bench: Bench, stream: bool) -> None:
    ask = bench.ask("Hello", stream=stream).but(raw=MALFORMED[family(bench)])
    raises(bench, {"bad_request"}, ask)


def limited(bench: Bench, stream: bool) -> None:
    """A key that may make one call a day: the gateway's own limit, not the provider's."""
    bench = bench.with_key(bench.limited_key)
    ask = bench.ask("Hello", stream=stream)
    with contextlib.suppress(bench.adapter.errors["rate_limited"]):
        bench.adapter.ask(ask)
    error = raises(bench, {"rate_limited"}, ask)
    assert int(bench.adapter.retry_after(error)) > 3600, "it is not told that it takes hours"


def rate_limited(bench: Bench, stream: bool) -> None:
    error = raises(bench, {"rate_limited"}, bench.faulty("429", stream))
    assert int(bench.adapter.retry_after(error)) > 0, "retry-after is missing"


def html(bench: Bench, stream: bool) -> None:
    error = raises(bench, {"bad_upstream", "unavailable"}, bench.faulty("html", stream))
    assert "cloudflare" not in str(error), f"the provider's page leaks: {error}"


def silence(bench: Bench, stream: bool) -> None:
    began = time.monotonic()
    raises(bench, {"timeout"}, bench.impatient().faulty("silence", stream))
    waited, given = time.monotonic() - began, SILENCE_SECONDS["streamed" if stream else "whole"]
    assert given - 0.2 < waited < given + 3, f"waited {waited:.1f} s"


def drip(bench: Bench, stream: bool) -> None:
    """Slow is not broken."""
    answer = bench.adapter.ask(bench.faulty("drip", stream))
    equal(answer.text, " ".join(f"word{n}" for n in range(1, 31)), "text")
    counted(answer)


def overloaded(bench: Bench, stream: bool) -> None:
    """Gemini and Bedrock have no 529: there the word is that for being unavailable, with 503."""
    without = {"gemini-generate", "bedrock-converse"}
    words = {"overloaded"} | ({"unavailable"} if bench.dialect in without else set())
    raises(bench, words, bench.faulty("529", stream))


def fault(name: str, whole: set[str], streamed: set[str]) -> Callable[[Bench, bool], None]:
    """A misbehaviour of the provider, and what the SDK may make of it."""
    def check(bench: Bench, stream: bool) -> None:
        raises(bench, streamed if stream else whole, bench.faulty(name, stream))
    return check


def no_terminator(bench: Bench, stream: bool) -> None:
    """Several hosts of Chat Completions leave out `[DONE]`; once the finish came, nothing is missing."""
    ask = bench.faulty("no-terminator", stream)
    if stream and bench.dialect == "openai-chat":
        answer = bench.adapter.ask(ask)
        equal(answer.text, " ".join(f"word{n}" for n in range(1, 31)), "text")
        equal(answer.finish, "stop", "finish")
    else:
        raises(bench, IN_STREAM if stream else BROKEN, ask)


def late(name: str, whole: set[str], streamed: set[str]) -> Callable[[Bench, bool], None]:
    """A misbehaviour that only a timeout ends."""
    def check(bench: Bench, stream: bool) -> None:
        fault(name, whole, streamed)(bench.impatient(), stream)
    return check


def raises(bench: Bench, words: set[str], ask: Ask) -> BaseException:
    adapter = bench.adapter
    wanted = {word: adapter.errors[word] for word in words}
    names = " or ".join(sorted({kind.__qualname__ for kind in wanted.values()}))
    try:
        answer = adapter.ask(ask)
    except AssertionError:
        raise
    except Exception as error:
        found = [word for word, kind in wanted.items() if type(error) is kind]
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        assert found, f"{kind} instead of {names}: {error!s:.300}"
        codes = set().union(*(getattr(adapter, "codes", {}).get(word, {0}) for word in found))
        assert 0 in codes or error.code in codes, f"code {error.code} instead of {codes}: {error!s:.300}"
        return error
    raise AssertionError(f"ended cleanly with {answer.text[:60]!r} instead of {names}")


def family(bench: Bench) -> str:
    name = bench.adapter.name
    if "responses" in name:
        return "responses"
    if name == "bedrock":
        return name
    return "google" if "google" in name else "anthropic" if "anthropic" in name else "openai"


# A field that every version of the dialect refuses, in each caller's dialect.
MALFORMED = {
    "openai": {"messages": "not a list"},
    "responses": {"input": 7},
    "anthropic": {"messages": "not a list"},
    "google": {"contents": [7]},
    # Such as the SDK itself lets pass.
    "bedrock": {"messages": [{"role": "robot", "content": [{"text": "Hello"}]}]},
}


@dataclass(frozen=True)
class Case:
    name: str
    check: Callable
    needs: str | None = None  # a feature of the adapter
    # Run against the simulated provider itself too, with no gateway between.
    straight: bool = True
    modes: tuple[str, ...] = ("whole", "streamed")


BROKEN = {"bad_upstream"}
# The answer's head may already be on its way when a stream turns out to be no stream.
BROKEN_STREAM = {"bad_upstream", "in_stream"}
IN_STREAM = {"in_stream"}
LATE = {"timeout"}
STREAMED = ("streamed",)

ANSWERS = [
    Case("plain", plain),
    Case("scripts", scripts),
    Case("pieces", pieces),
    Case("conversation", conversation),
    Case("cut-by-cap", cut_by_cap),
    Case("tools", tools),
    Case("tool-demanded", tool_demanded),
    Case("tool-left-alone", tool_left_alone),
    Case("parallel-tools", parallel_tools),
    Case("long-arguments", long_arguments),
    Case("structured", structured),
    Case("vision", vision),
    Case("thinking", thinking),
    Case("thinking-before-tools", thinking_before_tools),
    Case("drip", drip),
    Case("embeddings-float", lambda bench, _: embeddings(bench, "float"), "embeddings", modes=("whole",)),
    Case("embeddings-base64", lambda bench, _: embeddings(bench, None), "embeddings", modes=("whole",)),
    Case("count", lambda bench, _: counting(bench), "count", modes=("whole",)),
    Case("models", lambda bench, _: models(bench), "models", modes=("whole",)),
]

FAULTS = [
    Case("wrong-key", wrong_key, straight=False),
    Case("unknown-model", unknown_model, straight=False),
    Case("bad-request", bad_request),
    Case("rate-limited", rate_limited),
    Case("limited", limited, straight=False),
    Case("500", fault("500", {"server"}, {"server"})),
    Case("503", fault("503", {"unavailable", "overloaded"}, {"unavailable", "overloaded"})),
    Case("529", overloaded),
    Case("404", fault("404", {"not_found"}, {"not_found"})),
    Case("silence", silence, straight=False),
    Case("html", html, straight=False),
    Case("html-200", fault("html-200", BROKEN, BROKEN_STREAM), straight=False),
    Case("garbage", fault("garbage", BROKEN, BROKEN_STREAM), straight=False),
    Case("empty", fault("empty", BROKEN, BROKEN_STREAM), straight=False),
    Case("wrong-json", fault("wrong-json", BROKEN, BROKEN_STREAM), straight=False),
    Case("reset-early", fault("reset-early", BROKEN | {"unavailable"}, BROKEN_STREAM | {"unavailable"}), straight=False),
    Case("reset", fault("reset", BROKEN, IN_STREAM), straight=False),
    Case("cut", fault("cut", BROKEN, IN_STREAM), straight=False),
    Case("clean-end", fault("clean-end", BROKEN, IN_STREAM), straight=False),
    Case("no-terminator", no_terminator, straight=False),
    Case("garbage-chunk", fault("garbage-chunk", BROKEN, IN_STREAM), straight=False),
    Case("stall", late("stall", LATE, IN_STREAM), straight=False),
    Case("silence-stream", late("silence-stream", LATE, IN_STREAM | LATE), straight=False, modes=STREAMED),
    Case("error-in-stream", fault("error-in-stream", BROKEN, IN_STREAM), straight=False, modes=STREAMED),
    Case("error-in-200", fault("error-in-200", BROKEN | {"server"}, BROKEN_STREAM | {"server"}), straight=False),
]

CASES = ANSWERS + FAULTS + [
    Case(name, check, needs, straight=name not in ONLY_THROUGH, modes=modes)
    for needs, name, check, modes in OPERATIONS]
