// AWS's SDK for JavaScript, Bedrock Converse, with a key of the gateway as the bearer token.
import { createRequire } from 'node:module';

import {
  BedrockRuntimeClient, BedrockRuntimeServiceException, ConverseCommand, ConverseStreamCommand,
  CountTokensCommand, InternalServerException, ModelErrorException, ModelTimeoutException,
  ResourceNotFoundException, ServiceUnavailableException, ThrottlingException, ValidationException,
} from '@aws-sdk/client-bedrock-runtime';

import { answer, InStream } from './exchange.mjs';

const { version } = createRequire(import.meta.url)('@aws-sdk/client-bedrock-runtime/package.json');
const FINISH = { end_turn: 'stop', max_tokens: 'length', tool_use: 'tool_calls' };

export class BedrockAdapter {
  static sdk = 'bedrock';
  static version = version;
  static dialect = 'bedrock-converse';
  // It speaks HTTP/2 from the first byte, which the simulated provider does not.
  static onlyThrough = true;
  features = new Set(['count', 'raw', 'thinking-text']);
  errors = {
    // The service's own model has no class for what is wrong with a key.
    unauthenticated: BedrockRuntimeServiceException,
    not_found: ResourceNotFoundException,
    bad_request: ValidationException,
    rate_limited: ThrottlingException,
    server: InternalServerException,
    overloaded: ServiceUnavailableException,
    unavailable: ServiceUnavailableException,
    bad_upstream: ModelErrorException,
    timeout: ModelTimeoutException,
    in_stream: InStream,
  };

  constructor(root, key, milliseconds) {
    this.client = new BedrockRuntimeClient({
      endpoint: root, region: 'eu-central-1', token: { token: key }, maxAttempts: 1,
      authSchemePreference: ['httpBearerAuth'], requestHandler: { requestTimeout: milliseconds },
    });
  }

  async ask(ask) {
    const input = {
      modelId: ask.model, messages: this.messages(ask), inferenceConfig: { maxTokens: ask.maxTokens },
      ...(ask.system && { system: [{ text: ask.system }] }),
      ...(ask.tools.length && {
        toolConfig: {
          tools: ask.tools.map(({ name, description, schema }) => (
            { toolSpec: { name, description, inputSchema: { json: schema } } })),
          ...(ask.mustCall && { toolChoice: { any: {} } }),
        },
      }),
      ...(ask.schema && {
        outputConfig: {
          textFormat: {
            type: 'json_schema',
            structure: { jsonSchema: { name: 'answer', schema: JSON.stringify(ask.schema) } },
          },
        },
      }),
      ...(ask.thinking && {
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } },
      }),
      ...ask.raw,
    };
    if (ask.stream) return this.streamed(input);
    const said = await this.client.send(new ConverseCommand(input));
    return this.whole(said.output.message.content, said.stopReason, said.usage);
  }

  messages(ask) {
    const turns = ask.turns.map(({ role, text, png }) => ({
      role,
      content: [
        ...(png ? [{ image: { format: 'png', source: { bytes: png } } }] : []),
        { text },
      ],
    }));
    return [...turns, ...ask.tail];
  }

  async streamed(input) {
    const { stream } = await this.client.send(new ConverseStreamCommand(input));
    const blocks = [];
    let [stop, usage, textPieces, argumentPieces] = [null, null, 0, 0];
    try {
      for await (const event of stream) {
        if (event.contentBlockStart) {
          const { contentBlockIndex, start } = event.contentBlockStart;
          blocks[contentBlockIndex] = { toolUse: { ...start.toolUse, input: '' } };
        } else if (event.contentBlockDelta) {
          const { contentBlockIndex, delta } = event.contentBlockDelta;
          const block = blocks[contentBlockIndex] ??= {};
          if (delta.text !== undefined) {
            block.text = (block.text ?? '') + delta.text;
            textPieces += 1;
          } else if (delta.toolUse) {
            block.toolUse.input += delta.toolUse.input;
            argumentPieces += delta.toolUse.input !== '';
          } else if (delta.reasoningContent.redactedContent) {
            block.reasoningContent = delta.reasoningContent;
          } else {
            block.reasoningContent ??= { reasoningText: { text: '' } };
            const said = block.reasoningContent.reasoningText;
            for (const [name, text] of Object.entries(delta.reasoningContent)) {
              said[name] = (said[name] ?? '') + text;
            }
          }
        } else if (event.messageStop) {
          stop = event.messageStop.stopReason;
        } else if (event.metadata) {
          usage = event.metadata.usage;
        }
      }
    } catch (error) {
      throw new InStream(error);
    }
    if (!stop || !usage) throw new Error('the stream ended without messageStop and without an error');
    for (const { toolUse } of blocks) {
      if (toolUse) toolUse.input = JSON.parse(toolUse.input || '{}');
    }
    return { ...this.whole(blocks, stop, usage), textPieces, argumentPieces };
  }

  whole(content, stop, usage) {
    const all = (pick) => content.map(pick).filter((found) => found !== undefined);
    return answer({
      text: all((block) => block.text).join(''),
      reasoning: all((block) => block.reasoningContent?.reasoningText?.text).join(''),
      calls: all((block) => block.toolUse).map(({ toolUseId, name, input }) => (
        { id: toolUseId, name, arguments: input })),
      finish: FINISH[stop] ?? stop,
      inputTokens: usage.inputTokens + (usage.cacheReadInputTokens ?? 0)
        + (usage.cacheWriteInputTokens ?? 0),
      outputTokens: usage.outputTokens,
      said: { role: 'assistant', content },
    });
  }

  followUp(ask, first, results) {
    const told = first.calls.map(({ id, name }) => (
      { toolResult: { toolUseId: id, content: [{ text: results[name] }] } }));
    return { ...ask, mustCall: false, tail: [...ask.tail, first.said, { role: 'user', content: told }] };
  }

  async count(ask) {
    const input = { converse: { messages: this.messages(ask) } };
    return (await this.client.send(new CountTokensCommand({ modelId: ask.model, input }))).inputTokens;
  }

  retryAfter(error) {
    return error.$response.headers['retry-after'];
  }
}
