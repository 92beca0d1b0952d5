"""Pydantic AI over its OpenAI and Anthropic models: tools, streams, typed results."""
import asyncio
import importlib.metadata

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

NAME = f"pydantic-ai {importlib.metadata.version('pydantic-ai-slim')}"


class Report(BaseModel):
    city: str
    degrees: int


def chats(place):
    return OpenAIChatModel(place.model, provider=OpenAIProvider(base_url=place.openai, api_key=place.key))


def responses(place):
    return OpenAIResponsesModel(place.model, provider=OpenAIProvider(base_url=place.openai, api_key=place.key))


def messages(place):
    return AnthropicModel(place.model, provider=AnthropicProvider(base_url=place.root, api_key=place.key))


def answers(place, model) -> None:
    result = Agent(model(place), instructions="Answer.").run_sync("Please say 4 words")
    assert result.output == "word1 word2 word3 word4", result.output
    used = result.usage
    assert used.input_tokens > 0 and used.output_tokens > 0, used


def calls_a_tool(place, model) -> None:
    agent = Agent(model(place))

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"seven degrees in {city}"

    said = agent.run_sync('call get_weather with {"city":"Bern"}').output
    assert "seven degrees in Bern" in said, said


def streams(place, model) -> None:
    async def run() -> list[str]:
        async with Agent(model(place)).run_stream("Please say 30 words") as result:
            return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]

    pieces = asyncio.run(run())
    assert "".join(pieces).endswith("word30") and len(pieces) > 5, pieces


def fills_a_type(place, model) -> None:
    result = Agent(model(place), output_type=Report).run_sync("Good morning")
    assert isinstance(result.output, Report), result.output


def over(model) -> list:
    def case(check):
        def run(place):
            check(place, model)
        run.__name__ = f"{check.__name__}_over_{model.__name__}"
        return run

    return [case(check) for check in (answers, calls_a_tool, streams, fills_a_type)]


CASES = over(chats) + over(responses) + over(messages)
