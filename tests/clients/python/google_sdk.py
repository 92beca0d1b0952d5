"""The Google Gen AI SDK, generateContent and the counting of tokens."""
import importlib.metadata

from google import genai
from google.genai import errors, types

from exchange import Answer, Ask, Call


class Google:
    name = "google-genai"
    version = importlib.metadata.version("google-genai")
    features = frozenset({"models", "count", "usage-in-stream", "thinking-text"})
    errors = {
        "unauthenticated": errors.ClientError,
        "not_found": errors.ClientError,
        "bad_request": errors.ClientError,
        "rate_limited": errors.ClientError,
        "server": errors.ServerError,
        "overloaded": errors.ServerError,
        "bad_upstream": errors.ServerError,
        "unavailable": errors.ServerError,
        "timeout": errors.ServerError,
        "in_stream": errors.ServerError,
    }
    # Two classes are too coarse to tell one fault from another: the code decides.
    codes = {
        "unauthenticated": {401}, "not_found": {404}, "bad_request": {400}, "rate_limited": {429},
        "server": {500}, "overloaded": {503, 529}, "bad_upstream": {502}, "unavailable": {503},
        "timeout": {504},
    }

    def __init__(self, root: str, key: str, seconds: float):
        self.client = genai.Client(api_key=key, vertexai=False, http_options=types.HttpOptions(
            base_url=root, timeout=int(seconds * 1000),
            retry_options=types.HttpRetryOptions(attempts=1)))

    def ask(self, ask: Ask) -> Answer:
        config = {"max_output_tokens": ask.max_tokens}
        if ask.system:
            config["system_instruction"] = ask.system
        if ask.tools:
            config["tools"] = [types.Tool(function_declarations=[
                types.FunctionDeclaration(
                    name=tool.name, description=tool.description,
                    parameters_json_schema=tool.schema)
                for tool in ask.tools])]
        if ask.must_call:
            config["tool_config"] = types.ToolConfig(
                function_calling_config=types.FunctionCallingConfig(mode="ANY"))
        if ask.schema:
            config["response_mime_type"] = "application/json"
            config["response_json_schema"] = ask.schema
        if ask.thinking:
            config["thinking_config"] = types.ThinkingConfig(
                include_thoughts=True, thinking_budget=1024)
        if ask.raw:
            config["http_options"] = types.HttpOptions(extra_body=ask.raw)
        arguments = {"model": ask.model, "contents": self._contents(ask),
                     "config": types.GenerateContentConfig(**config)}
        if not ask.stream:
            return self._gathered([self.client.models.generate_content(**arguments)])
        return self._gathered(self.client.models.generate_content_stream(**arguments))

    def _contents(self, ask: Ask) -> list:
        contents = []
        for turn in ask.turns:
            parts = [types.Part.from_text(text=turn.text)]
            if turn.png:
                parts.append(types.Part.from_bytes(data=turn.png, mime_type="image/png"))
            role = "model" if turn.role == "assistant" else "user"
            contents.append(types.Content(role=role, parts=parts))
        return contents + list(ask.tail)

    def _gathered(self, replies) -> Answer:
        answer, parts = Answer(), []
        for reply in replies:
            if reply.usage_metadata:
                self._count(answer, reply.usage_metadata)
            for candidate in (reply.candidates or [])[:1]:
                if candidate.finish_reason:
                    answer.finish = candidate.finish_reason.name
                for part in (candidate.content and candidate.content.parts) or []:
                    parts.append(part)
                    self._read(answer, part)
        answer.finish = {"STOP": "stop", "MAX_TOKENS": "length"}.get(answer.finish, answer.finish)
        if answer.calls and answer.finish == "stop":
            answer.finish = "tool_calls"  # Gemini ends a tool call with STOP.
        answer.said = types.Content(role="model", parts=parts)
        return answer

    def _read(self, answer: Answer, part) -> None:
        if part.thought:
            answer.reasoning += part.text or ""
        elif part.text:
            answer.text += part.text
            answer.text_pieces += 1
        if part.function_call:
            call = part.function_call
            answer.calls.append(Call(call.id, call.name, dict(call.args or {})))
            answer.argument_pieces += 1

    def _count(self, answer: Answer, usage) -> None:
        answer.input_tokens = usage.prompt_token_count
        answer.reasoning_tokens = usage.thoughts_token_count or 0
        answer.output_tokens = (usage.candidates_token_count or 0) + answer.reasoning_tokens

    def follow_up(self, ask: Ask, answer: Answer, results: dict[str, str]) -> Ask:
        told = [
            types.Part(function_response=types.FunctionResponse(
                id=call.id, name=call.name, response={"result": results[call.name]}))
            for call in answer.calls]
        return ask.but(
            must_call=False, tail=(*ask.tail, answer.said, types.Content(role="user", parts=told)))

    def count(self, ask: Ask) -> int:
        return self.client.models.count_tokens(
            model=ask.model, contents=self._contents(ask)).total_tokens

    def models(self) -> list[str]:
        return [model.name.removeprefix("models/") for model in self.client.models.list()]

    def retry_after(self, error) -> str | None:
        return error.response.headers.get("retry-after")
