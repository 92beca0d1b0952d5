// The OpenAI SDK: Chat Completions, embeddings, and what operations.mjs asks of it.
import OpenAI from 'openai';
import { VERSION } from 'openai/version';

import { answer, base64 } from './exchange.mjs';

export class OpenAIAdapter {
  static sdk = 'openai';
  static version = VERSION;
  static dialect = 'openai-chat';
  features = new Set(['models', 'embeddings', 'operations', 'raw']);
  errors = {
    unauthenticated: OpenAI.AuthenticationError,
    not_found: OpenAI.NotFoundError,
    bad_request: OpenAI.BadRequestError,
    rate_limited: OpenAI.RateLimitError,
    server: OpenAI.InternalServerError,
    overloaded: OpenAI.InternalServerError,
    unavailable: OpenAI.InternalServerError,
    bad_upstream: OpenAI.InternalServerError,
    timeout: OpenAI.InternalServerError,
    in_stream: OpenAI.APIError,
  };

  constructor(root, key, milliseconds) {
    this.client = new OpenAI({
      baseURL: `${root}/v1`, apiKey: key, maxRetries: 0, timeout: milliseconds, logLevel: 'off',
    });
  }

  async ask(ask) {
    const body = {
      model: ask.model, messages: this.messages(ask), max_completion_tokens: ask.maxTokens,
      ...(ask.tools.length && {
        tools: ask.tools.map(({ name, description, schema }) => (
          { type: 'function', function: { name, description, parameters: schema } })),
      }),
      ...(ask.mustCall && { tool_choice: 'required' }),
      ...(ask.schema && {
        response_format: {
          type: 'json_schema', json_schema: { name: 'answer', schema: ask.schema, strict: true },
        },
      }),
      ...(ask.thinking && { reasoning_effort: 'low' }),
      ...ask.raw,
    };
    if (ask.stream) return this.streamed(body);
    const reply = await this.client.chat.completions.create(body);
    const { message, finish_reason: finish } = reply.choices[0];
    return answer({
      text: message.content ?? '', finish, said: message, reasoning: message.reasoning_content ?? '',
      calls: (message.tool_calls ?? []).map((call) => (
        { id: call.id, name: call.function.name, arguments: JSON.parse(call.function.arguments) })),
      ...this.counted(reply.usage),
    });
  }

  messages(ask) {
    const turns = ask.turns.map(({ role, text, png }) => ({
      role,
      content: !png ? text : [
        { type: 'text', text },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${base64(png)}` } },
      ],
    }));
    return [...(ask.system ? [{ role: 'system', content: ask.system }] : []), ...turns, ...ask.tail];
  }

  counted(usage) {
    return {
      inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens,
      reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
    };
  }

  async streamed(body) {
    const got = answer();
    const calls = [];
    const stream = await this.client.chat.completions.create(
      { ...body, stream: true, stream_options: { include_usage: true } });
    for await (const chunk of stream) {
      if (chunk.usage) Object.assign(got, this.counted(chunk.usage));
      for (const { delta, finish_reason: finish } of chunk.choices) {
        got.finish = finish ?? got.finish;
        got.reasoning += delta.reasoning_content ?? '';
        if (delta.content) {
          got.text += delta.content;
          got.textPieces += 1;
        }
        for (const piece of delta.tool_calls ?? []) {
          const call = calls[piece.index] ??= { id: null, name: '', arguments: '' };
          call.id = piece.id ?? call.id;
          call.name += piece.function?.name ?? '';
          if (piece.function?.arguments) {
            call.arguments += piece.function.arguments;
            got.argumentPieces += 1;
          }
        }
      }
    }
    got.calls = calls.map((call) => ({ ...call, arguments: JSON.parse(call.arguments) }));
    got.said = {
      role: 'assistant', content: got.text || null,
      ...(calls.length && {
        tool_calls: calls.map(({ id, name, arguments: text }) => (
          { id, type: 'function', function: { name, arguments: text } })),
      }),
    };
    return got;
  }

  followUp(ask, first, results) {
    const told = first.calls.map(({ id, name }) => (
      { role: 'tool', tool_call_id: id, content: results[name] }));
    return { ...ask, mustCall: false, tail: [...ask.tail, first.said, ...told] };
  }

  async embed(model, input, encoding) {
    const reply = await this.client.embeddings.create(
      { model, input, ...(encoding && { encoding_format: encoding }) });
    return reply.data.map((row) => row.embedding);
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
