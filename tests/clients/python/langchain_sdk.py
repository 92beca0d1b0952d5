"""LangChain over the OpenAI and Anthropic integrations: what it adds of its own must pass too."""
import base64
import importlib.metadata

from langchain_anthropic import ChatAnthropic, chat_models as over_anthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_openai.chat_models import base as over_openai

from anthropic_sdk import Anthropic
from exchange import Answer, Ask, Call
from openai_sdk import OpenAI

FINISH = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


class LangChain:
    """What both integrations share: messages, tools, streams."""

    def ask(self, ask: Ask) -> Answer:
        model = self._model(ask)
        if ask.tools:
            tools = [{"type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": tool.schema}}
                for tool in ask.tools]
            chosen = {"tool_choice": "any"} if ask.must_call else {}
            model = model.bind_tools(tools, **chosen)
        messages = self._messages(ask)
        if not ask.stream:
            return self._answer(model.invoke(messages))
        whole, texts, arguments = None, 0, 0
        for chunk in model.stream(messages):
            texts += bool(chunk.text)
            arguments += sum(bool(piece["args"]) for piece in chunk.tool_call_chunks)
            whole = chunk if whole is None else whole + chunk
        answer = self._answer(whole)
        answer.text_pieces, answer.argument_pieces = texts, arguments
        return answer

    def _messages(self, ask: Ask) -> list:
        messages = [SystemMessage(ask.system)] if ask.system else []
        for turn in ask.turns:
            if turn.role == "assistant":
                messages.append(AIMessage(turn.text))
            elif turn.png:
                messages.append(HumanMessage([
                    {"type": "text", "text": turn.text},
                    {"type": "image", "base64": base64.b64encode(turn.png).decode(),
                     "mime_type": "image/png"}]))
            else:
                messages.append(HumanMessage(turn.text))
        return messages + list(ask.tail)

    def _answer(self, message) -> Answer:
        said = message.response_metadata
        finish = said.get("finish_reason") or said.get("stop_reason")
        usage = message.usage_metadata or {}
        details = usage.get("output_token_details") or {}
        thoughts = "".join(block.get("reasoning", "") for block in message.content_blocks
                           if block["type"] == "reasoning")
        return Answer(
            text=message.text, finish=FINISH.get(finish, finish), said=message, reasoning=thoughts,
            calls=[Call(call["id"], call["name"], call["args"]) for call in message.tool_calls],
            input_tokens=usage.get("input_tokens"), output_tokens=usage.get("output_tokens"),
            reasoning_tokens=details.get("reasoning") or 0)

    def follow_up(self, ask: Ask, answer: Answer, results: dict[str, str]) -> Ask:
        told = [ToolMessage(results[call.name], tool_call_id=call.id) for call in answer.calls]
        return ask.but(must_call=False, tail=(*ask.tail, answer.said, *told))

    def retry_after(self, error) -> str | None:
        return error.response.headers.get("retry-after")


class LangChainOpenAI(LangChain):
    name = "langchain-openai"
    version = importlib.metadata.version("langchain-openai")
    features = frozenset({"embeddings", "usage-in-stream"})
    # It wraps the SDK's classes in its own, but for what comes inside a stream.
    errors = {
        "unauthenticated": over_openai.OpenAIAuthenticationError,
        "not_found": over_openai.OpenAIModelNotFoundError,
        "bad_request": over_openai.OpenAIInvalidRequestError,
        "rate_limited": over_openai.OpenAIRateLimitError,
        "in_stream": OpenAI.errors["in_stream"],
        **dict.fromkeys(("server", "overloaded", "bad_upstream", "unavailable", "timeout"),
                        over_openai.OpenAIAPIError),
    }

    def __init__(self, root: str, key: str, seconds: float):
        self.settings = {"base_url": f"{root}/v1", "api_key": key, "max_retries": 0,
                         "timeout": seconds}

    def _model(self, ask: Ask) -> ChatOpenAI:
        more = {}
        if ask.thinking:
            more["reasoning_effort"] = "low"
        if ask.schema:
            more["model_kwargs"] = {"response_format": {"type": "json_schema", "json_schema": {
                "name": "answer", "schema": ask.schema, "strict": True}}}
        if ask.raw:
            more["extra_body"] = ask.raw
        return ChatOpenAI(model=ask.model, max_tokens=ask.max_tokens, use_responses_api=False,
                          stream_usage=True, **self.settings, **more)

    def embed(self, model: str, texts: list[str], encoding: str | None) -> tuple[list, int]:
        chosen = {"model_kwargs": {"encoding_format": encoding}} if encoding else {}
        embeddings = OpenAIEmbeddings(
            model=model, check_embedding_ctx_length=False, **self.settings, **chosen)
        return embeddings.embed_documents(texts), 0


class LangChainAnthropic(LangChain):
    name = "langchain-anthropic"
    version = importlib.metadata.version("langchain-anthropic")
    features = frozenset({"usage-in-stream", "thinking-text"})
    errors = {
        "unauthenticated": over_anthropic.AnthropicAuthenticationError,
        "not_found": over_anthropic.AnthropicModelNotFoundError,
        "bad_request": over_anthropic.AnthropicInvalidRequestError,
        "rate_limited": over_anthropic.AnthropicRateLimitError,
        "overloaded": over_anthropic.AnthropicOverloadedError,
        "in_stream": Anthropic.errors["in_stream"],
        **dict.fromkeys(("server", "bad_upstream", "unavailable", "timeout"),
                        over_anthropic.AnthropicAPIError),
    }

    def __init__(self, root: str, key: str, seconds: float):
        self.settings = {"base_url": root, "api_key": key, "max_retries": 0, "timeout": seconds}

    def _model(self, ask: Ask) -> ChatAnthropic:
        more = {}
        if ask.thinking:
            more["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        arguments = dict(ask.raw)
        if ask.schema:
            arguments["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
        if arguments:
            more["model_kwargs"] = {"extra_body": arguments}
        return ChatAnthropic(model=ask.model, max_tokens=ask.max_tokens, stream_usage=True,
                             **self.settings, **more)
