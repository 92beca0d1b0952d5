"""AWS's SDK, Bedrock Converse: requests signed with an access key, answers in binary frames."""
import json

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from exchange import Answer, Ask, Call

FINISH = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


class Bedrock:
    name = "bedrock"
    version = botocore.__version__
    features = frozenset({"count", "thinking-text"})

    def __init__(self, root: str, key: str, seconds: float):
        # An access key's id and secret; a key that is neither is its own id.
        identity, _, secret = key.partition(":")
        self.client = boto3.session.Session().client(
            "bedrock-runtime", endpoint_url=root, region_name="eu-central-1",
            aws_access_key_id=identity, aws_secret_access_key=secret or "x",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=seconds,
                          connect_timeout=seconds))
        raised = self.client.exceptions
        self.errors = {
            # The service's own model has no class for what is wrong with a signature.
            "unauthenticated": ClientError,
            "not_found": raised.ResourceNotFoundException,
            "bad_request": raised.ValidationException,
            "rate_limited": raised.ThrottlingException,
            "server": raised.InternalServerException,
            "overloaded": raised.ServiceUnavailableException,
            "unavailable": raised.ServiceUnavailableException,
            "bad_upstream": raised.ModelErrorException,
            "timeout": raised.ModelTimeoutException,
            "in_stream": EventStreamError,
        }

    def ask(self, ask: Ask) -> Answer:
        arguments = {"modelId": ask.model, "messages": self._messages(ask),
                     "inferenceConfig": {"maxTokens": ask.max_tokens}}
        if ask.system:
            arguments["system"] = [{"text": ask.system}]
        if ask.tools:
            arguments["toolConfig"] = {"tools": [
                {"toolSpec": {"name": tool.name, "description": tool.description,
                              "inputSchema": {"json": tool.schema}}}
                for tool in ask.tools]}
        if ask.must_call:
            arguments["toolConfig"]["toolChoice"] = {"any": {}}
        if ask.schema:
            arguments["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {
                "jsonSchema": {"name": "answer", "schema": json.dumps(ask.schema)}}}}
        if ask.thinking:
            arguments["additionalModelRequestFields"] = {
                "thinking": {"type": "enabled", "budget_tokens": 1024}}
        arguments |= ask.raw
        if ask.stream:
            return self._streamed(arguments)
        said = self.client.converse(**arguments)
        return self._answer(said["output"]["message"]["content"], said["stopReason"], said["usage"])

    def _messages(self, ask: Ask) -> list:
        messages = []
        for turn in ask.turns:
            content = [{"text": turn.text}]
            if turn.png:
                content.insert(0, {"image": {"format": "png", "source": {"bytes": turn.png}}})
            messages.append({"role": turn.role, "content": content})
        return messages + list(ask.tail)

    def _answer(self, content: list, stop: str, usage: dict) -> Answer:
        answer = Answer(finish=FINISH.get(stop, stop), output_tokens=usage["outputTokens"],
                        input_tokens=usage["inputTokens"] + usage.get("cacheReadInputTokens", 0)
                        + usage.get("cacheWriteInputTokens", 0),
                        said={"role": "assistant", "content": content})
        for block in content:
            if "text" in block:
                answer.text += block["text"]
            elif "toolUse" in block:
                call = block["toolUse"]
                answer.calls.append(Call(call["toolUseId"], call["name"], call["input"]))
            elif "reasoningText" in block.get("reasoningContent", {}):
                answer.reasoning += block["reasoningContent"]["reasoningText"]["text"]
        return answer

    def _streamed(self, arguments: dict) -> Answer:
        """Gathers the blocks as those who build on the SDK do: by their index, one after the other."""
        blocks: dict[int, dict] = {}
        stop = usage = None
        text_pieces = argument_pieces = 0
        for event in self.client.converse_stream(**arguments)["stream"]:
            if "contentBlockStart" in event:
                started = event["contentBlockStart"]
                blocks[started["contentBlockIndex"]] = {
                    "toolUse": {**started["start"]["toolUse"], "input": ""}}
            elif "contentBlockDelta" in event:
                piece = event["contentBlockDelta"]
                block, delta = blocks.setdefault(piece["contentBlockIndex"], {}), piece["delta"]
                if "text" in delta:
                    block["text"] = block.get("text", "") + delta["text"]
                    text_pieces += 1
                elif "toolUse" in delta:
                    block["toolUse"]["input"] += delta["toolUse"]["input"]
                    argument_pieces += delta["toolUse"]["input"] != ""
                elif "redactedContent" in delta["reasoningContent"]:
                    block["reasoningContent"] = delta["reasoningContent"]
                else:
                    thought = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})
                    for name, text in delta["reasoningContent"].items():
                        said = thought["reasoningText"]
                        said[name] = said.get(name, "") + text
            elif "messageStop" in event:
                stop = event["messageStop"]["stopReason"]
            elif "metadata" in event:
                usage = event["metadata"]["usage"]
        if stop is None or usage is None:
            raise AssertionError("the stream ended without messageStop or metadata and without an error")
        content = [block for _, block in sorted(blocks.items())]
        for block in content:
            if "toolUse" in block:
                block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
        answer = self._answer(content, stop, usage)
        answer.text_pieces, answer.argument_pieces = text_pieces, argument_pieces
        return answer

    def follow_up(self, ask: Ask, answer: Answer, results: dict[str, str]) -> Ask:
        told = [{"toolResult": {"toolUseId": call.id, "content": [{"text": results[call.name]}]}}
                for call in answer.calls]
        return ask.but(
            must_call=False, tail=(*ask.tail, answer.said, {"role": "user", "content": told}))

    def count(self, ask: Ask) -> int:
        counted = self.client.count_tokens(
            modelId=ask.model, input={"converse": {"messages": self._messages(ask)}})
        return counted["inputTokens"]

    def retry_after(self, error) -> str | None:
        return error.response["ResponseMetadata"]["HTTPHeaders"].get("retry-after")
