// The Anthropic SDK, Messages and the counting of tokens.
import { createRequire } from 'node:module';

import Anthropic from '@anthropic-ai/sdk';

import { answer, base64 } from './exchange.mjs';

const { VERSION } = createRequire(import.meta.url)('@anthropic-ai/sdk/version');
const FINISH = { end_turn: 'stop', max_tokens: 'length', tool_use: 'tool_calls' };

export class AnthropicAdapter {
  static sdk = 'anthropic';
  static version = VERSION;
  static dialect = 'anthropic-messages';
  features = new Set(['models', 'count', 'raw', 'thinking-text', 'message-batches']);
  errors = {
    unauthenticated: Anthropic.AuthenticationError,
    not_found: Anthropic.NotFoundError,
    bad_request: Anthropic.BadRequestError,
    rate_limited: Anthropic.RateLimitError,
    server: Anthropic.InternalServerError,
    overloaded: Anthropic.OverloadedError,
    unavailable: Anthropic.ServiceUnavailableError,
    bad_upstream: Anthropic.InternalServerError,
    timeout: Anthropic.GatewayTimeoutError,
    in_stream: Anthropic.APIError,
  };

  constructor(root, key, milliseconds) {
    this.client = new Anthropic({
      baseURL: root, apiKey: key, authToken: null, maxRetries: 0, timeout: milliseconds, logLevel: 'off',
    });
  }

  async ask(ask) {
    const body = {
      model: ask.model, messages: this.messages(ask), max_tokens: ask.maxTokens,
      ...(ask.system && { system: ask.system }),
      ...(ask.tools.length && {
        tools: ask.tools.map(({ name, description, schema }) => (
          { name, description, input_schema: schema })),
      }),
      ...(ask.mustCall && { tool_choice: { type: 'any' } }),
      ...(ask.schema && { output_config: { format: { type: 'json_schema', schema: ask.schema } } }),
      ...(ask.thinking && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
      ...ask.raw,
    };
    if (!ask.stream) return this.whole(await this.client.messages.create(body));
    let [textPieces, argumentPieces, ended] = [0, 0, false];
    const stream = this.client.messages.stream(body);
    for await (const event of stream) {
      if (event.type === 'content_block_delta') {
        textPieces += event.delta.type === 'text_delta';
        argumentPieces += event.delta.type === 'input_json_delta' && event.delta.partial_json !== '';
      }
      ended ||= event.type === 'message_stop';
    }
    if (!ended) throw new Error('the stream ended without message_stop and without an error');
    return { ...this.whole(await stream.finalMessage()), textPieces, argumentPieces };
  }

  messages(ask) {
    const turns = ask.turns.map(({ role, text, png }) => ({
      role,
      content: !png ? text : [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: base64(png) } },
        { type: 'text', text },
      ],
    }));
    return [...turns, ...ask.tail];
  }

  whole(message) {
    const of = (type) => message.content.filter((block) => block.type === type);
    const { usage } = message;
    return answer({
      text: of('text').map((block) => block.text).join(''),
      reasoning: of('thinking').map((block) => block.thinking).join(''),
      calls: of('tool_use').map(({ id, name, input }) => ({ id, name, arguments: input })),
      finish: FINISH[message.stop_reason] ?? message.stop_reason,
      // Anthropic counts cached tokens beside the others.
      inputTokens: usage.input_tokens + (usage.cache_read_input_tokens ?? 0)
        + (usage.cache_creation_input_tokens ?? 0),
      outputTokens: usage.output_tokens,
      said: { role: 'assistant', content: message.content },
    });
  }

  followUp(ask, first, results) {
    const told = first.calls.map(({ id, name }) => (
      { type: 'tool_result', tool_use_id: id, content: results[name] }));
    return { ...ask, mustCall: false, tail: [...ask.tail, first.said, { role: 'user', content: told }] };
  }

  async count(ask) {
    const counted = await this.client.messages.countTokens(
      { model: ask.model, messages: this.messages(ask) });
    return counted.input_tokens;
  }

  async models() {
    const ids = [];
    for await (const model of this.client.models.list()) ids.push(model.id);
    return ids;
  }

  retryAfter(error) {
    return error.headers.get('retry-after');
  }
}
