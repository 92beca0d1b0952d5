"""The OpenAI SDK, Responses: created, streamed, parsed and retrieved."""
import base64
import json

import openai
from openai.resources.responses import Responses

from exchange import Answer, Ask, Call
from openai_sdk import OpenAI


class OpenAIResponses(OpenAI):
    name = "openai-responses"
    features = frozenset({"usage-in-stream", "thinking-text"} | (
        # Newer versions only.
        {"stored-responses"} if hasattr(Responses, "compact") else set()))

    def ask(self, ask: Ask) -> Answer:
        arguments = {"model": ask.model, "input": self._input(ask), "store": False,
                     "max_output_tokens": ask.max_tokens}
        if ask.system:
            arguments["instructions"] = ask.system
        if ask.tools:
            arguments["tools"] = [
                {"type": "function", "name": tool.name, "description": tool.description,
                 "parameters": tool.schema, "strict": True}
                for tool in ask.tools]
        if ask.must_call:
            arguments["tool_choice"] = "required"
        if ask.schema:
            arguments["text"] = {"format": {
                "type": "json_schema", "name": "answer", "schema": ask.schema, "strict": True}}
        if ask.thinking:
            arguments["reasoning"] = {"effort": "low", "summary": "auto"}
            arguments["include"] = ["reasoning.encrypted_content"]
        if ask.raw:
            arguments["extra_body"] = ask.raw
        if ask.stream:
            return self._streamed(arguments)
        return self._whole(self.client.responses.create(**arguments))

    def _input(self, ask: Ask) -> list:
        items = []
        for turn in ask.turns:
            if turn.png:
                data = base64.b64encode(turn.png).decode()
                content = [
                    {"type": "input_text", "text": turn.text},
                    {"type": "input_image", "detail": "auto",
                     "image_url": f"data:image/png;base64,{data}"}]
            else:
                content = turn.text
            items.append({"role": turn.role, "content": content})
        return items + list(ask.tail)

    def _whole(self, reply) -> Answer:
        answer = Answer(text=reply.output_text, said=[
            item.model_dump(exclude_none=True, exclude={"status", "parsed_arguments"}) for item in reply.output])
        for item in reply.output:
            if item.type == "function_call":
                answer.calls.append(Call(item.call_id, item.name, json.loads(item.arguments)))
            elif item.type == "reasoning":
                answer.reasoning += "".join(part.text for part in item.summary)
        if reply.incomplete_details:
            reason = reply.incomplete_details.reason
            answer.finish = "length" if reason == "max_output_tokens" else reason
        else:
            answer.finish = "tool_calls" if answer.calls else "stop"
        usage = reply.usage
        answer.input_tokens, answer.output_tokens = usage.input_tokens, usage.output_tokens
        answer.reasoning_tokens = usage.output_tokens_details.reasoning_tokens
        return answer

    def _streamed(self, arguments: dict) -> Answer:
        """Through the SDK's own state machine, which gathers what its events say."""
        text_pieces = argument_pieces = 0
        text = ""
        numbers = []
        with self.client.responses.stream(**arguments) as stream:
            for event in stream:
                numbers.append(event.sequence_number)
                if event.type == "response.output_text.delta":
                    text += event.delta
                    text_pieces += 1
                elif event.type == "response.function_call_arguments.delta":
                    argument_pieces += 1
            # An incomplete response is no final one to the SDK: its last event holds it.
            incomplete = event.type == "response.incomplete"
            answer = self._whole(event.response if incomplete else stream.get_final_response())
        assert numbers == sorted(set(numbers)), f"events out of order: {numbers}"
        assert answer.text == text, f"gathered {answer.text!r}, streamed {text!r}"
        answer.text_pieces, answer.argument_pieces = text_pieces, argument_pieces
        return answer

    def follow_up(self, ask: Ask, answer: Answer, results: dict[str, str]) -> Ask:
        told = [{"type": "function_call_output", "call_id": call.id, "output": results[call.name]}
                for call in answer.calls]
        return ask.but(must_call=False, tail=(*ask.tail, *answer.said, *told))
