"""What a case asks and what an adapter answers, in words that no vendor owns.

Every SDK is driven through this small language, so that one table of cases serves them all.
"""
from dataclasses import dataclass, field, replace
from typing import Any, Protocol


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class Turn:
    role: str  # "user" or "assistant"
    text: str
    png: bytes | None = None


@dataclass(frozen=True)
class Ask:
    model: str
    turns: tuple[Turn, ...]
    stream: bool = False
    system: str | None = None
    tools: tuple[Tool, ...] = ()
    must_call: bool = False
    schema: dict[str, Any] | None = None
    thinking: bool = False
    max_tokens: int = 2048
    # Messages in the SDK's own shape, which an adapter appended after the turns.
    tail: tuple[Any, ...] = ()
    # Sent as it is: the way to write a request that the SDK itself would not.
    raw: dict[str, Any] = field(default_factory=dict)

    def but(self, **changes: Any) -> "Ask":
        return replace(self, **changes)


@dataclass(frozen=True)
class Call:
    id: str | None
    name: str
    arguments: Any  # parsed


@dataclass
class Answer:
    text: str = ""
    calls: list[Call] = field(default_factory=list)
    finish: str | None = None  # stop, length, tool_calls, in one vocabulary
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning: str = ""
    reasoning_tokens: int = 0
    text_pieces: int = 0
    argument_pieces: int = 0
    said: Any = None  # the assistant's message in the SDK's own shape, for the next request


class Adapter(Protocol):
    """One SDK. `errors` maps a word for what went wrong to the SDK's own exception class."""

    name: str
    version: str
    errors: dict[str, type[BaseException]]
    features: frozenset[str]

    def ask(self, ask: Ask) -> Answer: ...

    def follow_up(self, ask: Ask, answer: Answer, results: dict[str, str]) -> Ask: ...
