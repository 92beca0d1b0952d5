#!/usr/bin/env python3
"""SDKs of vendors whose dialect the gateway takes beside the three great ones, in a few cases each
and to providers of every dialect: Cohere's, Ollama's, Voyage's, and OpenAI's for completions.

    vendors.py --config TARGETS.json --out RESULTS.jsonl [SDK …]
"""
import argparse
import json
import time
import traceback
from pathlib import Path

import cohere
import ollama
import openai
import voyageai
from voyageai import error as voyage_error

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Tells the weather.", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
CALL = 'call get_weather with {"city":"Paris"}'
DOCUMENTS = ["Paris is in France.", "Lima is in Peru.", "Oslo is in Norway."]


def equal(found, wanted, what: str) -> None:
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"


def raises(kind, what) -> BaseException:
    try:
        answer = what()
    except kind as error:
        return error
    raise AssertionError(f"{answer!r:.200} instead of {kind.__name__}")


class Cohere:
    dialect = "cohere-v2"

    def __init__(self, root: str, key: str):
        self.root, self.key = root, key
        self.client = cohere.ClientV2(api_key=key, base_url=root, timeout=20)

    def plain(self, model: str) -> None:
        reply = self.client.chat(model=model, messages=[{"role": "user", "content": "Good morning"}])
        equal(reply.message.content[0].text, "You said: Good morning", "text")
        equal(reply.finish_reason, "COMPLETE", "finish")
        assert reply.usage.tokens.input_tokens > 0 and reply.usage.tokens.output_tokens > 0

    def streamed(self, model: str) -> None:
        text, kinds, finish = "", [], None
        messages = [{"role": "user", "content": "Good morning"}]
        for event in self.client.chat_stream(model=model, messages=messages):
            kinds.append(event.type)
            if event.type == "content-delta":
                text += event.delta.message.content.text or ""
            if event.type == "message-end":
                finish = event.delta.finish_reason
        equal(text, "You said: Good morning", "text")
        equal((kinds[0], kinds[-1], finish), ("message-start", "message-end", "COMPLETE"), "events")

    def tools(self, model: str) -> None:
        messages = [{"role": "user", "content": CALL}]
        first = self.client.chat(model=model, messages=messages, tools=[WEATHER])
        call = first.message.tool_calls[0]
        equal(json.loads(call.function.arguments), {"city": "Paris"}, "arguments")
        equal(first.finish_reason, "TOOL_CALL", "finish")
        messages += [first.message, {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}]
        second = self.client.chat(model=model, messages=messages, tools=[WEATHER])
        assert "18 degrees" in second.message.content[0].text, second

    def documents(self, model: str) -> None:
        documents = [{"id": "d1", "data": {"text": "It rains."}}]
        messages = [{"role": "user", "content": "Hello"}]
        reply = self.client.chat(model=model, messages=messages, documents=documents)
        assert reply.message.content[0].text, reply

    def embeddings(self, model: str) -> None:
        reply = self.client.embed(model=model, texts=["a", "b"], input_type="search_query",
                                  embedding_types=["float"])
        equal(len(reply.embeddings.float_), 2, "vectors")

    def rankings(self, model: str) -> None:
        reply = self.client.rerank(model=model, query="peru", documents=DOCUMENTS, top_n=1)
        equal([result.index for result in reply.results], [1], "order")

    def refused(self, model: str) -> None:
        wrong = cohere.ClientV2(api_key="wrong", base_url=self.root)
        ask = {"messages": [{"role": "user", "content": "x"}]}
        raises(cohere.UnauthorizedError, lambda: wrong.chat(model=model, **ask))
        raises(cohere.NotFoundError, lambda: self.client.chat(model="no-such-model", **ask))


class Ollama:
    dialect = "ollama-chat"

    def __init__(self, root: str, key: str):
        self.root = root
        self.client = ollama.Client(host=root, headers={"authorization": f"Bearer {key}"}, timeout=20)

    def plain(self, model: str) -> None:
        reply = self.client.chat(model=model, messages=[{"role": "user", "content": "Good morning"}])
        equal(reply.message.content, "You said: Good morning", "text")
        equal((reply.done, reply.done_reason), (True, "stop"), "finish")
        assert reply.prompt_eval_count > 0 and reply.eval_count > 0, reply

    def streamed(self, model: str) -> None:
        messages = [{"role": "user", "content": "Good morning"}]
        lines = list(self.client.chat(model=model, messages=messages, stream=True))
        equal("".join(line.message.content for line in lines), "You said: Good morning", "text")
        equal([line.done for line in lines][-1], True, "done")
        assert len(lines) > 2, lines

    def tools(self, model: str) -> None:
        messages = [{"role": "user", "content": CALL}]
        first = self.client.chat(model=model, messages=messages, tools=[WEATHER])
        call = first.message.tool_calls[0]
        equal((call.function.name, dict(call.function.arguments)), ("get_weather", {"city": "Paris"}),
              "call")
        messages += [first.message, {"role": "tool", "tool_name": "get_weather", "content": "18 degrees"}]
        second = self.client.chat(model=model, messages=messages, tools=[WEATHER])
        assert "18 degrees" in second.message.content, second

    def structured(self, model: str) -> None:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
                  "additionalProperties": False}
        reply = self.client.chat(model=model, messages=[{"role": "user", "content": "x"}], format=schema)
        equal(list(json.loads(reply.message.content)), ["city"], "fields")

    def embeddings(self, model: str) -> None:
        reply = self.client.embed(model=model, input=["a", "b"])
        equal(len(reply.embeddings), 2, "vectors")

    def models(self, _: str) -> None:
        assert self.client.list().models is not None

    def refused(self, model: str) -> None:
        ask = {"messages": [{"role": "user", "content": "x"}]}
        wrong = ollama.Client(host=self.root, headers={"authorization": "Bearer wrong"})
        equal(raises(ollama.ResponseError, lambda: wrong.chat(model=model, **ask)).status_code, 401,
              "status")
        missing = raises(ollama.ResponseError, lambda: self.client.chat(model="no-such-model", **ask))
        equal(missing.status_code, 404, "status")
        broken = f"{model.split('/')[0]}/fault-cut"
        stream = self.client.chat(model=broken, stream=True, **ask)
        raises(ollama.ResponseError, lambda: list(stream))


class Voyage:
    dialect = "openai-chat"

    def __init__(self, root: str, key: str):
        self.client = voyageai.Client(api_key=key, base_url=f"{root}/v1", max_retries=0, timeout=20)

    def embeddings(self, model: str) -> None:
        reply = self.client.embed(["a", "b"], model=model)
        equal(len(reply.embeddings), 2, "vectors")

    def rankings(self, model: str) -> None:
        reply = self.client.rerank("peru", DOCUMENTS, model=model, top_k=2)
        equal([result.index for result in reply.results][0], 1, "best")
        equal(reply.results[0].document, DOCUMENTS[1], "document")

    def refused(self, _: str) -> None:
        raises(voyage_error.VoyageError, lambda: self.client.rerank("x", ["y"], model="no-such-model"))


class Completions:
    dialect = "openai-completions"

    def __init__(self, root: str, key: str):
        self.client = openai.OpenAI(base_url=f"{root}/v1", api_key=key, max_retries=0, timeout=20)

    def plain(self, model: str) -> None:
        reply = self.client.completions.create(model=model, prompt="Good morning", max_tokens=2000)
        equal(reply.choices[0].text, "You said: Good morning", "text")
        equal(reply.choices[0].finish_reason, "stop", "finish")
        assert reply.usage.prompt_tokens > 0 and reply.usage.completion_tokens > 0

    def streamed(self, model: str) -> None:
        stream = self.client.completions.create(
            model=model, prompt="Good morning", max_tokens=2000, stream=True,
            stream_options={"include_usage": True})
        chunks = list(stream)
        text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
        equal(text, "You said: Good morning", "text")
        assert any(chunk.usage for chunk in chunks), "no usage"

    def several(self, model: str) -> None:
        """Two prompts have no place in a chat: carried or refused, never one of them lost."""
        def ask():
            return self.client.completions.create(model=model, prompt=["a", "b"], max_tokens=100)
        if "completions" in model:
            equal([choice.text for choice in ask().choices], ["You said: a", "You said: b"], "texts")
        else:
            assert "prompt" in str(raises(openai.BadRequestError, ask))

    def refused(self, _: str) -> None:
        raises(openai.NotFoundError,
               lambda: self.client.completions.create(model="no-such-model", prompt="x"))


SDKS = {"cohere": Cohere, "ollama": Ollama, "voyageai": Voyage, "openai-completions": Completions}
# What only some providers offer.
EMBEDDERS = {"openai-chat", "gemini-generate", "cohere-v2", "ollama-chat"}
UNASKED = {"tools", "documents", "structured"}
RANKERS = {"openai-chat", "cohere-v2"}


def jobs(sdk: str, targets: dict):
    kind = SDKS[sdk]
    for provider in targets["providers"] + targets.get("more", []):
        if targets["straight"] and (provider["dialect"] != kind.dialect or sdk == "voyageai"):
            continue
        for case in [name for name in vars(kind) if not name.startswith("_") and name != "dialect"]:
            offers = {"embeddings": EMBEDDERS, "rankings": RANKERS}.get(case)
            if offers and provider["dialect"] not in offers:
                continue
            if (sdk, case, provider["dialect"]) == ("voyageai", "embeddings", "openai-chat"):
                continue  # its own fields go to hosts of its own dialect, and OpenAI refuses them
            if (sdk, case, provider["dialect"]) == ("voyageai", "embeddings", "gemini-generate"):
                continue  # its SDK wants a count of tokens, and Gemini gives none
            if provider["dialect"] == "openai-completions" and case in UNASKED:
                continue  # refused: a prompt has no tools and no format
            if targets["straight"] and case in ("refused", "several", "documents"):
                continue
            model = provider.get("embedding_model") if case == "embeddings" else None
            yield provider, case, provider["prefix"] + (model or provider["model"])


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--config", type=Path, required=True)
    wanted.add_argument("--out", type=Path, required=True)
    wanted.add_argument("--only", default="", help="run cases whose name holds this")
    wanted.add_argument("sdks", nargs="+", choices=SDKS)
    options = wanted.parse_args()
    targets = json.loads(options.config.read_text())
    with options.out.open("w") as out:
        for sdk in options.sdks:
            for provider, case, model in jobs(sdk, targets):
                way = "straight" if targets["straight"] else f"to {provider['dialect']}"
                row = {"name": f"python {sdk} {way}: {case}", "status": "passed"}
                if options.only not in row["name"]:
                    continue
                began = time.monotonic()
                try:
                    getattr(SDKS[sdk](targets["root"], targets["key"]), case)(model)
                except Exception as error:
                    at = traceback.extract_tb(error.__traceback__)[-1]
                    row |= {"status": "failed",
                            "why": f"{type(error).__name__}: {error!s:.400} ({at.name}:{at.lineno})"}
                row["seconds"] = round(time.monotonic() - began, 3)
                out.write(json.dumps(row) + "\n")


main()
