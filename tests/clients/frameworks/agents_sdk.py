"""OpenAI's Agents SDK: its loop of tools and its streams, over Responses (its default) and over chats."""
import asyncio
import importlib.metadata

from agents import (Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool,
                    set_tracing_disabled)
from openai import AsyncOpenAI
from pydantic import BaseModel

NAME = f"openai-agents {importlib.metadata.version('openai-agents')}"
set_tracing_disabled(True)
# One loop for all cases: a client that outlives its loop complains when it is collected.
LOOP = asyncio.Runner()


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"seven degrees in {city}"


class Report(BaseModel):
    city: str
    degrees: int


def agent(place, kind, **more) -> Agent:
    client = AsyncOpenAI(base_url=place.openai, api_key=place.key, max_retries=0)
    return Agent(name="tester", instructions="Answer.", model=kind(model=place.model, openai_client=client), **more)


def ran(agent: Agent, prompt: str):
    return LOOP.run(Runner.run(agent, prompt))


def answers(place, kind) -> None:
    result = ran(agent(place, kind), "Please say 4 words")
    assert result.final_output == "word1 word2 word3 word4", result.final_output
    assert result.context_wrapper.usage.output_tokens > 0, result.context_wrapper.usage


def calls_a_tool(place, kind) -> None:
    prompt = 'call get_weather with {"city":"Bern"}'
    result = ran(agent(place, kind, tools=[get_weather]), prompt)
    assert "seven degrees in Bern" in result.final_output, result.final_output


def streams(place, kind) -> None:
    async def run() -> tuple[str, int]:
        result, pieces = Runner.run_streamed(agent(place, kind), "Please say 30 words"), 0
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                pieces += 1
        return result.final_output, pieces

    text, pieces = LOOP.run(run())
    assert text.endswith("word30") and pieces > 5, (text, pieces)


def fills_a_schema(place, kind) -> None:
    result = ran(agent(place, kind, output_type=Report), "Good morning")
    assert isinstance(result.final_output, Report), result.final_output


def over(kind, what: str) -> list:
    def case(check):
        def run(place):
            check(place, kind)
        run.__name__ = f"{check.__name__}_over_{what}"
        return run

    return [case(check) for check in (answers, calls_a_tool, streams, fills_a_schema)]


CASES = over(OpenAIChatCompletionsModel, "chats") + over(OpenAIResponsesModel, "responses")
