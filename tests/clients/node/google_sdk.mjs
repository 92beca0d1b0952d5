// The Google Gen AI SDK, generateContent and the counting of tokens.
import { readFileSync } from 'node:fs';

import { ApiError, GoogleGenAI } from '@google/genai';

import { answer, base64 } from './exchange.mjs';

const MANIFEST = new URL('./node_modules/@google/genai/package.json', import.meta.url);

export class GoogleAdapter {
  static sdk = 'google-genai';
  static version = JSON.parse(readFileSync(MANIFEST)).version;
  static dialect = 'gemini-generate';
  features = new Set(['models', 'count', 'raw', 'thinking-text']);
  // One class for everything: the status decides.
  errors = Object.fromEntries([
    'unauthenticated', 'not_found', 'bad_request', 'rate_limited', 'server', 'overloaded',
    'unavailable', 'bad_upstream', 'timeout', 'in_stream'].map((word) => [word, ApiError]));
  codes = {
    unauthenticated: [401], not_found: [404], bad_request: [400], rate_limited: [429],
    server: [500], overloaded: [503, 529], unavailable: [503], bad_upstream: [502], timeout: [504],
    in_stream: [500, 502, 503, 504, 529],
  };

  constructor(root, key, milliseconds) {
    this.client = new GoogleGenAI({
      apiKey: key, vertexai: false,
      httpOptions: { baseUrl: root, timeout: milliseconds, retryOptions: { attempts: 1 } },
    });
  }

  async ask(ask) {
    const request = {
      model: ask.model,
      contents: this.contents(ask),
      config: {
        maxOutputTokens: ask.maxTokens,
        ...(ask.system && { systemInstruction: ask.system }),
        ...(ask.tools.length && {
          tools: [{
            functionDeclarations: ask.tools.map(({ name, description, schema }) => (
              { name, description, parametersJsonSchema: schema })),
          }],
        }),
        ...(ask.mustCall && { toolConfig: { functionCallingConfig: { mode: 'ANY' } } }),
        ...(ask.schema && { responseMimeType: 'application/json', responseJsonSchema: ask.schema }),
        ...(ask.thinking && { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } }),
        ...(ask.raw && { httpOptions: { extraBody: ask.raw } }),
      },
    };
    const got = answer();
    const parts = [];
    const replies = ask.stream
      ? await this.client.models.generateContentStream(request)
      : [await this.client.models.generateContent(request)];
    for await (const reply of replies) this.read(got, parts, reply);
    got.finish = { STOP: 'stop', MAX_TOKENS: 'length' }[got.finish] ?? got.finish;
    // Gemini ends a tool call with STOP.
    if (got.calls.length && got.finish === 'stop') got.finish = 'tool_calls';
    got.said = { role: 'model', parts };
    return got;
  }

  read(got, parts, reply) {
    const usage = reply.usageMetadata;
    if (usage) {
      got.inputTokens = usage.promptTokenCount;
      got.reasoningTokens = usage.thoughtsTokenCount ?? 0;
      got.outputTokens = (usage.candidatesTokenCount ?? 0) + got.reasoningTokens;
    }
    const candidate = reply.candidates?.[0];
    got.finish = candidate?.finishReason ?? got.finish;
    for (const part of candidate?.content?.parts ?? []) {
      parts.push(part);
      if (part.thought) got.reasoning += part.text ?? '';
      else if (part.text) {
        got.text += part.text;
        got.textPieces += 1;
      }
      if (part.functionCall) {
        const { id, name, args } = part.functionCall;
        got.calls.push({ id, name, arguments: args ?? {} });
        got.argumentPieces += 1;
      }
    }
  }

  contents(ask) {
    const turns = ask.turns.map(({ role, text, png }) => ({
      role: role === 'assistant' ? 'model' : 'user',
      parts: [{ text }, ...(png ? [{ inlineData: { mimeType: 'image/png', data: base64(png) } }] : [])],
    }));
    return [...turns, ...ask.tail];
  }

  followUp(ask, first, results) {
    const parts = first.calls.map(({ id, name }) => (
      { functionResponse: { id, name, response: { result: results[name] } } }));
    return { ...ask, mustCall: false, tail: [...ask.tail, first.said, { role: 'user', parts }] };
  }

  async count(ask) {
    const counted = await this.client.models.countTokens(
      { model: ask.model, contents: this.contents(ask) });
    return counted.totalTokens;
  }

  async models() {
    const ids = [];
    for await (const model of await this.client.models.list()) ids.push(model.name);
    return ids;
  }

  // The SDK keeps no headers of an error.
  retryAfter() {
    return null;
  }
}
