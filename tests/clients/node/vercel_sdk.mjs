// The Vercel AI SDK over its OpenAI, OpenAI-compatible, Anthropic and Google providers.
import { readFileSync } from 'node:fs';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, Output, generateText, jsonSchema, streamText, tool } from 'ai';

import { InStream, answer } from './exchange.mjs';

const MANIFEST = new URL('./node_modules/ai/package.json', import.meta.url);
const FINISH = { 'tool-calls': 'tool_calls' };

class Vercel {
  static version = JSON.parse(readFileSync(MANIFEST)).version;
  features = new Set();
  errors = {
    ...Object.fromEntries([
      'unauthenticated', 'not_found', 'bad_request', 'rate_limited', 'server', 'overloaded',
      'unavailable', 'bad_upstream', 'timeout'].map((word) => [word, APICallError])),
    // Some of its providers turn an error in the first event of a stream into one of a call.
    in_stream: [InStream, APICallError],
  };
  codes = {
    unauthenticated: [401], not_found: [404], bad_request: [400], rate_limited: [429],
    server: [500], overloaded: [503, 529], unavailable: [503], bad_upstream: [502], timeout: [504],
  };

  constructor(root, key, milliseconds) {
    this.milliseconds = milliseconds;
    this.model = this.connect(root, key);
  }

  async ask(ask) {
    const request = {
      model: this.model(this.named(ask.model)),
      messages: this.messages(ask),
      ...this.options(ask),
      maxRetries: 0,
      abortSignal: AbortSignal.timeout(this.milliseconds),
      ...(ask.system && { system: ask.system }),
      ...(ask.tools.length && {
        tools: Object.fromEntries(ask.tools.map(({ name, description, schema }) => (
          [name, tool({ description, inputSchema: jsonSchema(schema) })]))),
      }),
      ...(ask.mustCall && { toolChoice: 'required' }),
      ...(ask.schema && { output: Output.object({ schema: jsonSchema(ask.schema) }) }),
    };
    if (!ask.stream) return this.whole(await generateText(request));
    let [textPieces, argumentPieces] = [0, 0];
    const result = streamText({ ...request, onError: () => {} });
    for await (const part of result.fullStream) {
      if (part.type === 'error') {
        throw APICallError.isInstance(part.error) ? part.error : new InStream(part.error);
      }
      textPieces += part.type === 'text-delta';
      argumentPieces += part.type === 'tool-input-delta';
    }
    return { ...await this.whole(result), textPieces, argumentPieces };
  }

  named(model) {
    return model;
  }

  options(ask) {
    return { maxOutputTokens: ask.maxTokens, ...(ask.thinking && { providerOptions: this.thinking }) };
  }

  messages(ask) {
    const turns = ask.turns.map(({ role, text, png }) => ({
      role, content: !png ? text : [{ type: 'text', text }, { type: 'image', image: png }],
    }));
    return [...turns, ...ask.tail];
  }

  /** The fields of a result are values, or promises when it was streamed. */
  async whole(result) {
    const [text, reasoning, calls, finish, usage, response] = await Promise.all([
      result.text, result.reasoningText, result.toolCalls, result.finishReason, result.usage,
      result.response]);
    return answer({
      text, reasoning: reasoning ?? '', said: response.messages,
      calls: calls.map(({ toolCallId, toolName, input }) => (
        { id: toolCallId, name: toolName, arguments: input })),
      finish: FINISH[finish] ?? finish,
      inputTokens: usage.inputTokens, outputTokens: usage.outputTokens,
      reasoningTokens: usage.outputTokenDetails?.reasoningTokens ?? 0,
    });
  }

  followUp(ask, first, results) {
    const content = first.calls.map(({ id, name }) => (
      { type: 'tool-result', toolCallId: id, toolName: name, output: { type: 'text', value: results[name] } }));
    return { ...ask, mustCall: false, tail: [...ask.tail, ...first.said, { role: 'tool', content }] };
  }

  retryAfter(error) {
    return error.responseHeaders['retry-after'];
  }
}

export class VercelOpenAI extends Vercel {
  static sdk = 'vercel-openai';
  static dialect = 'openai-chat';

  /** A reasoning model behind another name has to be told the newer name of the cap. */
  options(ask) {
    return {
      providerOptions: {
        openai: { maxCompletionTokens: ask.maxTokens, ...(ask.thinking && { reasoningEffort: 'low' }) },
      },
    };
  }

  connect(root, key) {
    return createOpenAI({ baseURL: `${root}/v1`, apiKey: key }).chat;
  }
}

export class VercelCompatible extends Vercel {
  static sdk = 'vercel-compatible';
  static dialect = 'openai-chat';
  thinking = { tollgate: { reasoningEffort: 'low' } };

  connect(root, key) {
    return createOpenAICompatible({
      name: 'tollgate', baseURL: `${root}/v1`, apiKey: key, includeUsage: true,
      supportsStructuredOutputs: true,
      // It writes the older name, which OpenAI's reasoning models refuse.
      transformRequestBody: ({ max_tokens: cap, ...body }) => ({ ...body, max_completion_tokens: cap }),
    });
  }
}

export class VercelAnthropic extends Vercel {
  static sdk = 'vercel-anthropic';
  static dialect = 'anthropic-messages';
  features = new Set(['thinking-text']);
  thinking = { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } };

  connect(root, key) {
    return createAnthropic({ baseURL: `${root}/v1`, apiKey: key });
  }
}

export class VercelGoogle extends Vercel {
  static sdk = 'vercel-google';
  static dialect = 'gemini-generate';
  features = new Set(['thinking-text']);
  thinking = { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } };

  /** It takes a name with a slash for a path. */
  named(model) {
    return `models/${model}`;
  }

  connect(root, key) {
    return createGoogleGenerativeAI({ baseURL: `${root}/v1beta`, apiKey: key });
  }
}
