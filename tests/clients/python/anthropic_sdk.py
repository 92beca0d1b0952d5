"""The Anthropic SDK, Messages and the counting of tokens."""
import base64

import anthropic

from exchange import Answer, Ask, Call

# From 2.x on, the SDK has a class for each status of its own.
STATUSES = hasattr(anthropic, "GatewayTimeoutError")
FINISH = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


class Anthropic:
    name = "anthropic"
    version = anthropic.__version__
    features = frozenset(
        {"models", "count", "usage-in-stream", "thinking-text", "message-batches"})
    errors = {
        "unauthenticated": anthropic.AuthenticationError,
        "not_found": anthropic.NotFoundError,
        "bad_request": anthropic.BadRequestError,
        "rate_limited": anthropic.RateLimitError,
        "server": anthropic.InternalServerError,
        # The SDK's own class for 529, which some versions do not export.
        "overloaded": anthropic._exceptions.OverloadedError,
        "bad_upstream": anthropic.InternalServerError,
        "unavailable": anthropic._exceptions.ServiceUnavailableError if STATUSES
        else anthropic.InternalServerError,
        "timeout": anthropic.GatewayTimeoutError if STATUSES else anthropic.InternalServerError,
        "in_stream": anthropic.APIStatusError,
    }

    def __init__(self, root: str, key: str, seconds: float):
        self.client = anthropic.Anthropic(
            base_url=root, api_key=key, max_retries=0, timeout=seconds)

    def ask(self, ask: Ask) -> Answer:
        arguments = {"model": ask.model, "messages": self._messages(ask),
                     "max_tokens": ask.max_tokens}
        if ask.system:
            arguments["system"] = ask.system
        if ask.tools:
            arguments["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
                for tool in ask.tools]
        if ask.must_call:
            arguments["tool_choice"] = {"type": "any"}
        if ask.schema:
            arguments["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
        if ask.thinking:
            arguments["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if ask.raw:
            arguments["extra_body"] = ask.raw
        if ask.stream:
            return self._streamed(arguments)
        return self._whole(self.client.messages.create(**arguments))

    def _messages(self, ask: Ask) -> list:
        messages = []
        for turn in ask.turns:
            content = turn.text
            if turn.png:
                data = base64.b64encode(turn.png).decode()
                content = [
                    {"type": "image", "source": {
                        "type": "base64", "media_type": "image/png", "data": data}},
                    {"type": "text", "text": turn.text}]
            messages.append({"role": turn.role, "content": content})
        return messages + list(ask.tail)

    def _whole(self, message) -> Answer:
        answer = Answer(finish=FINISH.get(message.stop_reason, message.stop_reason),
                        input_tokens=self._read(message.usage),
                        output_tokens=message.usage.output_tokens,
                        said={"role": "assistant", "content": message.content})
        for block in message.content:
            match block.type:
                case "text":
                    answer.text += block.text
                case "tool_use":
                    answer.calls.append(Call(block.id, block.name, block.input))
                case "thinking":
                    answer.reasoning += block.thinking
        return answer

    def _read(self, usage) -> int:
        """Everything that was read: Anthropic counts cached tokens beside the others."""
        return (usage.input_tokens + (usage.cache_read_input_tokens or 0)
                + (usage.cache_creation_input_tokens or 0))

    def _streamed(self, arguments: dict) -> Answer:
        text_pieces = argument_pieces = 0
        ended = False
        with self.client.messages.stream(**arguments) as stream:
            for event in stream:
                if event.type == "content_block_delta":
                    text_pieces += event.delta.type == "text_delta"
                    argument_pieces += (
                        event.delta.type == "input_json_delta" and event.delta.partial_json != "")
                ended = ended or event.type == "message_stop"
            if not ended:
                # The SDK itself takes an end without message_stop for an end.
                raise AssertionError("the stream ended without message_stop and without an error")
            answer = self._whole(stream.get_final_message())
        answer.text_pieces, answer.argument_pieces = text_pieces, argument_pieces
        return answer

    def follow_up(self, ask: Ask, answer: Answer, results: dict[str, str]) -> Ask:
        told = [{"type": "tool_result", "tool_use_id": call.id, "content": results[call.name]}
                for call in answer.calls]
        return ask.but(
            must_call=False, tail=(*ask.tail, answer.said, {"role": "user", "content": told}))

    def count(self, ask: Ask) -> int:
        return self.client.messages.count_tokens(
            model=ask.model, messages=self._messages(ask)).input_tokens

    def models(self) -> list[str]:
        return [model.id for model in self.client.models.list()]

    def retry_after(self, error) -> str | None:
        return error.response.headers.get("retry-after")
