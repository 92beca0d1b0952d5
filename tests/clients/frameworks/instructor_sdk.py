"""Instructor: typed answers through tools and through JSON schemas, over OpenAI's and Anthropic's SDK."""
import importlib.metadata

import instructor
from anthropic import Anthropic
from openai import OpenAI
from pydantic import BaseModel

NAME = f"instructor {importlib.metadata.version('instructor')}"


class Report(BaseModel):
    city: str
    degrees: int
    notes: list[str]


def filled(client, place, cap="max_completion_tokens") -> None:
    turns = [{"role": "user", "content": "Good morning"}]
    report = client.chat.completions.create(model=place.model, messages=turns, response_model=Report,
                                            max_retries=0, **{cap: 500})
    assert isinstance(report, Report), report


def openai(place) -> OpenAI:
    return OpenAI(base_url=place.openai, api_key=place.key, max_retries=0)


def by_a_tool(place) -> None:
    filled(instructor.from_openai(openai(place), mode=instructor.Mode.TOOLS), place)


def by_a_strict_schema(place) -> None:
    filled(instructor.from_openai(openai(place), mode=instructor.Mode.JSON_SCHEMA), place)


def by_an_anthropic_tool(place) -> None:
    client = Anthropic(base_url=place.root, api_key=place.key, max_retries=0)
    filled(instructor.from_anthropic(client, mode=instructor.Mode.TOOLS), place, "max_tokens")


def in_pieces(place) -> None:
    client = instructor.from_openai(openai(place), mode=instructor.Mode.TOOLS)
    turns = [{"role": "user", "content": "Good morning"}]
    partial = list(client.chat.completions.create_partial(
        model=place.model, messages=turns, response_model=Report, max_retries=0))
    assert isinstance(partial[-1].degrees, int), partial[-1:]


CASES = [by_a_tool, by_a_strict_schema, by_an_anthropic_tool, in_pieces]
