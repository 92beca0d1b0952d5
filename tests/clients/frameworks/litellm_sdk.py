"""The LiteLLM SDK as a client: it takes the gateway for OpenAI, for Anthropic and for any compatible host."""
import importlib.metadata
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # nothing is fetched while it is imported

import litellm  # noqa: E402

NAME = f"litellm {importlib.metadata.version('litellm')}"
litellm.suppress_debug_info = True
TOOLS = [{"type": "function", "function": {
    "name": "get_weather", "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]


def ask(place, prompt: str, **more):
    return litellm.completion(model=f"openai/{place.model}", api_base=place.openai, api_key=place.key,
                              messages=[{"role": "user", "content": prompt}], max_tokens=500, num_retries=0, **more)


def answers(place) -> None:
    said = ask(place, "Please say 4 words")
    assert said.choices[0].message.content == "word1 word2 word3 word4", said
    assert said.usage.completion_tokens > 0, said.usage


def streams(place) -> None:
    pieces = [chunk.choices[0].delta.content or "" for chunk in ask(place, "Please say 30 words", stream=True)]
    assert "".join(pieces).endswith("word30") and len(pieces) > 5, pieces


def calls_a_tool(place) -> None:
    said = ask(place, 'call get_weather with {"city":"Bern"}', tools=TOOLS)
    call = said.choices[0].message.tool_calls[0].function
    assert call.name == "get_weather" and "Bern" in call.arguments, call


def speaks_messages(place) -> None:
    said = litellm.completion(model=f"anthropic/{place.model}", api_base=place.root, api_key=place.key,
                              messages=[{"role": "user", "content": "Please say 4 words"}], max_tokens=500)
    assert said.choices[0].message.content == "word1 word2 word3 word4", said


def raises_its_own_errors(place) -> None:
    try:
        litellm.completion(model=f"openai/{place.model}-fault-429", api_base=place.openai, api_key=place.key,
                           messages=[{"role": "user", "content": "hi"}], num_retries=0, max_retries=0)
    except litellm.RateLimitError:
        return
    raise AssertionError("no RateLimitError")


CASES = [answers, streams, calls_a_tool, speaks_messages, raises_its_own_errors]
