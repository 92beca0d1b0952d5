"""The OpenAI SDK: Chat Completions, embeddings, and what operations.py asks of it."""
import base64
import json

import openai

from exchange import Answer, Ask, Call


class OpenAI:
    name = "openai"
    version = openai.__version__
    features = frozenset({"models", "embeddings", "usage-in-stream"} | (
        # Older ones know no streamed pictures or transcripts.
        {"operations"} if int(openai.__version__.split(".")[0]) >= 2 else set()))
    errors = {
        "unauthenticated": openai.AuthenticationError,
        "not_found": openai.NotFoundError,
        "bad_request": openai.BadRequestError,
        "rate_limited": openai.RateLimitError,
        "server": openai.InternalServerError,
        "overloaded": openai.InternalServerError,
        "bad_upstream": openai.InternalServerError,
        "unavailable": openai.InternalServerError,
        "timeout": openai.InternalServerError,
        "in_stream": openai.APIError,
    }

    def __init__(self, root: str, key: str, seconds: float):
        self.client = openai.OpenAI(
            base_url=f"{root}/v1", api_key=key, max_retries=0, timeout=seconds)

    def ask(self, ask: Ask) -> Answer:
        arguments = {"model": ask.model, "messages": self._messages(ask),
                     "max_completion_tokens": ask.max_tokens}
        if ask.tools:
            arguments["tools"] = [
                {"type": "function", "function": {
                    "name": tool.name, "description": tool.description, "parameters": tool.schema}}
                for tool in ask.tools]
        if ask.must_call:
            arguments["tool_choice"] = "required"
        if ask.schema:
            arguments["response_format"] = {"type": "json_schema", "json_schema": {
                "name": "answer", "schema": ask.schema, "strict": True}}
        if ask.thinking:
            arguments["reasoning_effort"] = "low"
        if ask.raw:
            arguments["extra_body"] = ask.raw
        if ask.stream:
            return self._streamed(arguments)
        return self._whole(self.client.chat.completions.create(**arguments))

    def _messages(self, ask: Ask) -> list:
        messages = [{"role": "system", "content": ask.system}] if ask.system else []
        for turn in ask.turns:
            if turn.png:
                data = base64.b64encode(turn.png).decode()
                content = [
                    {"type": "text", "text": turn.text},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}]
            else:
                content = turn.text
            messages.append({"role": turn.role, "content": content})
        return messages + list(ask.tail)

    def _whole(self, reply) -> Answer:
        message = reply.choices[0].message
        answer = Answer(
            text=message.content or "", finish=reply.choices[0].finish_reason, said=message,
            reasoning=getattr(message, "reasoning_content", None) or "")
        for call in message.tool_calls or []:
            answer.calls.append(
                Call(call.id, call.function.name, json.loads(call.function.arguments)))
        self._count(answer, reply.usage)
        return answer

    def _count(self, answer: Answer, usage) -> None:
        answer.input_tokens, answer.output_tokens = usage.prompt_tokens, usage.completion_tokens
        details = usage.completion_tokens_details
        answer.reasoning_tokens = (details and details.reasoning_tokens) or 0

    def _streamed(self, arguments: dict) -> Answer:
        answer, calls = Answer(), {}
        arguments |= {"stream": True, "stream_options": {"include_usage": True}}
        for chunk in self.client.chat.completions.create(**arguments):
            if chunk.usage:
                self._count(answer, chunk.usage)
            for choice in chunk.choices:
                delta = choice.delta
                answer.finish = choice.finish_reason or answer.finish
                answer.reasoning += getattr(delta, "reasoning_content", None) or ""
                if delta.content:
                    answer.text += delta.content
                    answer.text_pieces += 1
                for piece in delta.tool_calls or []:
                    call = calls.setdefault(piece.index, {"id": None, "name": "", "arguments": ""})
                    call["id"] = piece.id or call["id"]
                    call["name"] += piece.function.name or ""
                    if piece.function.arguments:
                        call["arguments"] += piece.function.arguments
                        answer.argument_pieces += 1
        for _, call in sorted(calls.items()):
            answer.calls.append(Call(call["id"], call["name"], json.loads(call["arguments"])))
        answer.said = {"role": "assistant", "content": answer.text or None}
        if calls:
            answer.said["tool_calls"] = [
                {"id": call["id"], "type": "function",
                 "function": {"name": call["name"], "arguments": call["arguments"]}}
                for _, call in sorted(calls.items())]
        return answer

    def follow_up(self, ask: Ask, answer: Answer, results: dict[str, str]) -> Ask:
        told = [{"role": "tool", "tool_call_id": call.id, "content": results[call.name]}
                for call in answer.calls]
        return ask.but(must_call=False, tail=(*ask.tail, answer.said, *told))

    def embed(self, model: str, texts: list[str], encoding: str | None) -> tuple[list, int | None]:
        """The vectors, and the tokens where the provider counts them (Gemini does not)."""
        chosen = {"encoding_format": encoding} if encoding else {}
        reply = self.client.embeddings.create(model=model, input=texts, **chosen)
        return [row.embedding for row in reply.data], reply.usage and reply.usage.prompt_tokens

    def models(self) -> list[str]:
        return [model.id for model in self.client.models.list()]

    def retry_after(self, error) -> str | None:
        return error.response.headers.get("retry-after")
