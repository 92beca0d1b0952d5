"""LlamaIndex over its OpenAI-like model: chats, streams and tools."""
import importlib.metadata

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

NAME = f"llama-index {importlib.metadata.version('llama-index-core')}"


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"seven degrees in {city}"


def model(place) -> OpenAILike:
    return OpenAILike(model=place.model, api_base=place.openai, api_key=place.key, is_chat_model=True,
                      is_function_calling_model=True, context_window=100_000, temperature=1.0, max_retries=0)


def answers(place) -> None:
    turns = [ChatMessage(role="system", content="Answer."), ChatMessage(role="user", content="Please say 4 words")]
    said = model(place).chat(turns)
    assert said.message.content == "word1 word2 word3 word4", said


def completes(place) -> None:
    said = str(model(place).complete("Please say 3 words"))
    assert said == "word1 word2 word3", said


def streams(place) -> None:
    turns = [ChatMessage(role="user", content="Please say 30 words")]
    pieces = [piece.delta for piece in model(place).stream_chat(turns) if piece.delta]
    assert "".join(pieces).endswith("word30") and len(pieces) > 5, pieces


def calls_a_tool(place) -> None:
    tool = FunctionTool.from_defaults(fn=get_weather)
    said = model(place).predict_and_call([tool], user_msg='call get_weather with {"city":"Bern"}')
    assert "seven degrees in Bern" in str(said), said


CASES = [answers, completes, streams, calls_a_tool]
