// The table of cases: what every SDK must see, whichever dialect the provider speaks.
// It is the same table as python/cases.py; what the simulated provider answers to which words
// stands in docs/simulated-provider.md.
import assert from 'node:assert/strict';

import { OPERATIONS } from './operations.mjs';

// A red dot of one pixel.
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64');
const CITY = {
  type: 'object', properties: { city: { type: 'string' } }, required: ['city'],
  additionalProperties: false,
};
const WEATHER = { name: 'get_weather', description: 'The weather of a city', schema: CITY };
const CLOCK = { name: 'get_time', description: 'The time in a city', schema: CITY };
const ANSWER = {
  type: 'object', additionalProperties: false, required: ['city', 'degrees', 'sunny'],
  properties: {
    city: { type: 'string' }, degrees: { type: 'integer' }, sunny: { type: 'boolean' },
  },
};
// What the gateway gives a silent provider in the test configuration: until the first token of a
// stream, and for a whole answer.
const SILENCE_SECONDS = { streamed: 1, whole: 3 };
// A field that every version of the dialect refuses, in each caller's dialect.
const MALFORMED = {
  'openai-chat': { messages: 'not a list' },
  'openai-responses': { input: 7 },
  'anthropic-messages': { messages: 'not a list' },
  'gemini-generate': { contents: [7] },
  // Such as the SDK itself lets pass.
  'bedrock-converse': { messages: [{ role: 'robot', content: [{ text: 'Hello' }] }] },
};
const THIRTY_WORDS = words(30);

/** An SDK pointed at one provider. */
export class Bench {
  constructor(Adapter, targets, provider, milliseconds) {
    Object.assign(this, { Adapter, targets, provider, milliseconds });
    this.adapter = new Adapter(targets.root, targets.key, milliseconds);
    this.dialect = provider.dialect;
  }

  /** An Ask of user and assistant turns, in turn. */
  ask(texts, more = {}) {
    const { model = this.provider.model, ...others } = more;
    return {
      model: this.provider.prefix + model,
      turns: [texts].flat().map((text, at) => ({ role: ['user', 'assistant'][at % 2], text })),
      stream: false, tools: [], mustCall: false, maxTokens: 2048, tail: [], ...others,
    };
  }

  faulty(fault, stream) {
    return this.ask('Please say 30 words', { model: `${this.provider.model}-fault-${fault}`, stream });
  }

  /** The same provider under the name that has short timeouts. */
  impatient() {
    const provider = { ...this.provider, prefix: this.provider.prefix.replace('sim-', 'late-') };
    return new Bench(this.Adapter, this.targets, provider, this.milliseconds);
  }

  withKey(key) {
    return new Bench(this.Adapter, { ...this.targets, key }, this.provider, this.milliseconds);
  }
}

function words(count) {
  return Array.from({ length: count }, (_, at) => `word${at + 1}`).join(' ');
}

function counted(got) {
  assert(got.inputTokens > 0, `input tokens: ${got.inputTokens}`);
  assert(got.outputTokens > 0, `output tokens: ${got.outputTokens}`);
}

// Answers.

async function plain(bench, stream) {
  const got = await bench.adapter.ask(bench.ask('Good morning', { stream }));
  assert.equal(got.text, 'You said: Good morning');
  assert.equal(got.finish, 'stop');
  counted(got);
}

async function scripts(bench, stream) {
  const said = 'Zürich 東京 \u{1f44b}\u{1f3fd} "quoted" back\\slash\ttab';
  const got = await bench.adapter.ask(bench.ask(said, { stream }));
  assert.equal(got.text, `You said: ${said}`);
}

async function pieces(bench, stream) {
  const got = await bench.adapter.ask(bench.ask('Please say 40 words', { stream }));
  assert.equal(got.text, words(40));
  if (stream) assert(got.textPieces > 3, `came in ${got.textPieces} pieces`);
}

async function conversation(bench, stream) {
  const bare = await bench.adapter.ask(bench.ask('And now?', { stream }));
  const got = await bench.adapter.ask(bench.ask(
    ['One', 'Two', 'And now?'], { stream, system: 'Answer in as few words as you can.' }));
  assert.equal(got.text, 'You said: And now?');
  assert(got.inputTokens > bare.inputTokens + 8,
    `system and earlier turns were not read: ${got.inputTokens} after ${bare.inputTokens}`);
}

async function cutByCap(bench, stream) {
  const got = await bench.adapter.ask(bench.ask('Please say 90 words', { stream, maxTokens: 16 }));
  assert.equal(got.finish, 'length');
  assert(got.text.startsWith('word1 word2') && !got.text.includes('word40'), got.text);
  assert(got.outputTokens <= 16, `${got.outputTokens} tokens`);
}

const named = ({ calls }) => calls.map((call) => [call.name, call.arguments]);

async function tools(bench, stream) {
  const ask = bench.ask('call get_weather with {"city":"Paris"}', { tools: [WEATHER, CLOCK], stream });
  const first = await bench.adapter.ask(ask);
  assert.deepEqual(named(first), [['get_weather', { city: 'Paris' }]]);
  assert.equal(first.finish, 'tool_calls');
  counted(first);
  const second = await bench.adapter.ask(
    bench.adapter.followUp(ask, first, { get_weather: '18 degrees' }));
  assert(second.text.startsWith('The tool get_weather returned: '), second.text);
  assert(second.text.includes('18 degrees'), second.text);
  assert.equal(second.finish, 'stop');
}

async function toolDemanded(bench, stream) {
  const got = await bench.adapter.ask(
    bench.ask('Hello', { tools: [WEATHER], mustCall: true, stream }));
  assert.deepEqual(got.calls.map((call) => call.name), ['get_weather']);
  assert('city' in got.calls[0].arguments);
}

async function toolLeftAlone(bench, stream) {
  const got = await bench.adapter.ask(bench.ask('Hello', { tools: [WEATHER], stream }));
  assert.deepEqual(got.calls, []);
  assert.equal(got.finish, 'stop');
}

async function parallelTools(bench, stream) {
  const ask = bench.ask('call get_weather with {"city":"Oslo"} and get_time with {"city":"Lima"}',
    { tools: [WEATHER, CLOCK], stream });
  const first = await bench.adapter.ask(ask);
  assert.deepEqual(named(first), [['get_weather', { city: 'Oslo' }], ['get_time', { city: 'Lima' }]]);
  const ids = first.calls.map((call) => call.id).filter(Boolean);
  assert.equal(new Set(ids).size, ids.length, 'call ids repeat');
  const { text } = await bench.adapter.ask(
    bench.adapter.followUp(ask, first, { get_weather: 'sleet', get_time: 'noon' }));
  assert(text.includes('sleet') && text.includes('noon'), text);
  assert(text.indexOf('get_weather') < text.indexOf('get_time'), text);
}

async function longArguments(bench, stream) {
  const city = 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch "é" \\ 東京';
  const said = `call get_weather with ${JSON.stringify({ city })}`;
  const got = await bench.adapter.ask(bench.ask(said, { tools: [WEATHER], stream }));
  assert.deepEqual(named(got), [['get_weather', { city }]]);
  const whole = [bench.dialect, bench.Adapter.dialect].includes('gemini-generate');
  if (stream && !whole) assert(got.argumentPieces > 1, 'the arguments were not streamed');
}

async function structured(bench, stream) {
  const got = await bench.adapter.ask(bench.ask('The weather in Paris', { schema: ANSWER, stream }));
  const given = JSON.parse(got.text);
  assert.deepEqual(
    Object.keys(given).sort().map((name) => [name, typeof given[name]]),
    [['city', 'string'], ['degrees', 'number'], ['sunny', 'boolean']]);
}

async function vision(bench, stream) {
  const ask = bench.ask('', { stream });
  ask.turns = [{ role: 'user', text: 'What is this?', png: PNG }];
  const got = await bench.adapter.ask(ask);
  assert(got.text.includes('1 file: image/png'), got.text);
}

async function thinking(bench, stream) {
  const got = await bench.adapter.ask(bench.ask('Ponder this', { thinking: true, stream }));
  assert.equal(got.text, 'You said: Ponder this');
  // Responses summarizes thoughts only for who asks for it in so many words.
  const shown = bench.dialect !== 'openai-responses' || !/anthropic|bedrock/.test(bench.Adapter.sdk);
  if (bench.adapter.features.has('thinking-text') && bench.dialect !== 'openai-chat' && shown) {
    assert(got.reasoning.includes('Ponder'), `reasoning: ${got.reasoning}`);
  } else {
    // Chat Completions counts reasoning and keeps it to itself.
    assert(got.reasoning || got.reasoningTokens || got.outputTokens > 8, 'no sign of reasoning');
  }
}

/** Signatures and encrypted thoughts come back to the provider that made them. */
async function thinkingBeforeTools(bench, stream) {
  const ask = bench.ask('call get_weather with {"city":"Rome"}',
    { tools: [WEATHER], thinking: true, stream });
  const first = await bench.adapter.ask(ask);
  assert.deepEqual(named(first), [['get_weather', { city: 'Rome' }]]);
  const second = await bench.adapter.ask(bench.adapter.followUp(ask, first, { get_weather: 'warm' }));
  assert(second.text.includes('warm'), second.text);
}

/** Slow is not broken. */
async function drip(bench, stream) {
  const got = await bench.adapter.ask(bench.faulty('drip', stream));
  assert.equal(got.text, THIRTY_WORDS);
  counted(got);
}

// Beside chat.

const embeddings = (encoding) => async (bench) => {
  const model = bench.provider.prefix + bench.provider.embedding_model;
  const [first, second] = await bench.adapter.embed(model, ['first text', 'second text'], encoding);
  assert(first.length === second.length && first.length > 8, `${first.length}, ${second.length}`);
  assert.notDeepEqual(first, second);
  const [floats] = await bench.adapter.embed(model, ['first text'], 'float');
  assert(floats.every((number, at) => Math.abs(number - first[at]) < 1e-5), 'encodings differ');
};

async function count(bench) {
  if (bench.dialect === 'openai-chat') {
    // Chat Completions counts nothing: refused, and not guessed.
    await assert.rejects(bench.adapter.count(bench.ask('Hello')), (refused) => (
      refused.constructor === bench.adapter.errors.bad_request && /count_tokens/.test(refused.message)));
    return;
  }
  const short = await bench.adapter.count(bench.ask('Hello'));
  const long = await bench.adapter.count(
    bench.ask('Hello, and then a good deal more than that to count'));
  assert(short > 0 && short < long, `${short}, ${long}`);
}

async function models(bench) {
  assert((await bench.adapter.models()).length > 0, 'an empty list');
}

// Faults.

async function raises(bench, among, ask) {
  const { adapter } = bench;
  const kinds = (word) => [adapter.errors[word]].flat();
  const names = [...new Set(among.flatMap(kinds).map((kind) => kind.name))].join(' or ');
  let got;
  try {
    got = await adapter.ask(ask);
  } catch (error) {
    const found = among.filter((word) => kinds(word).includes(error.constructor));
    assert(found.length,
      `${error.constructor.name} instead of ${names}: ${String(error).slice(0, 300)}`);
    const code = error.status ?? error.statusCode;
    const codes = adapter.codes && found.flatMap((word) => adapter.codes[word] ?? [code]);
    assert(!codes || codes.includes(code), `status ${code} instead of ${codes}: ${String(error).slice(0, 300)}`);
    return error;
  }
  throw new assert.AssertionError(
    { message: `ended cleanly with ${JSON.stringify(got.text.slice(0, 60))} instead of ${names}` });
}

async function wrongKey(bench, stream) {
  await raises(bench.withKey('sk-wrong'), ['unauthenticated'], bench.ask('Hello', { stream }));
}

async function unknownModel(bench, stream) {
  const error = await raises(
    bench, ['not_found'], { ...bench.ask('Hello', { stream }), model: 'no-such-model' });
  assert(error.message.includes('no-such-model'), error.message);
}

async function badRequest(bench, stream) {
  const raw = MALFORMED[bench.Adapter.dialect];
  await raises(bench, ['bad_request'], { ...bench.ask('Hello', { stream }), raw });
}

/** A key that may make one call a day: the gateway's own limit, not the provider's. */
async function limited(bench, stream) {
  const held = bench.withKey(bench.targets.limited_key);
  const ask = held.ask('Hello', { stream });
  await held.adapter.ask(ask).catch(() => {});
  const error = await raises(held, ['rate_limited'], ask);
  if (bench.Adapter.sdk === 'google-genai') return; // It keeps no headers.
  assert(Number(held.adapter.retryAfter(error)) > 3600, 'it is not told that it takes hours');
}

async function rateLimited(bench, stream) {
  const error = await raises(bench, ['rate_limited'], bench.faulty('429', stream));
  if (bench.Adapter.sdk === 'google-genai') return; // It keeps no headers.
  assert(Number(bench.adapter.retryAfter(error)) > 0, 'retry-after is missing');
}

async function html(bench, stream) {
  const error = await raises(bench, ['bad_upstream', 'unavailable'], bench.faulty('html', stream));
  assert(!String(error).includes('cloudflare'), `the provider's page leaks: ${error}`);
}

async function silence(bench, stream) {
  const began = performance.now();
  await raises(bench, ['timeout'], bench.impatient().faulty('silence', stream));
  const waited = (performance.now() - began) / 1000;
  const given = SILENCE_SECONDS[stream ? 'streamed' : 'whole'];
  assert(waited > given - 0.2 && waited < given + 3, `waited ${waited} s`);
}

/** Gemini has no 529: there the word is UNAVAILABLE, with 503. */
async function overloaded(bench, stream) {
  const without = ['gemini-generate', 'bedrock-converse'].includes(bench.dialect);
  const words = ['overloaded', ...(without ? ['unavailable'] : [])];
  await raises(bench, words, bench.faulty('529', stream));
}

/** Several hosts of Chat Completions leave out `[DONE]`; once the finish came, nothing is missing. */
async function noTerminator(bench, stream) {
  const ask = bench.faulty('no-terminator', stream);
  if (stream && bench.dialect === 'openai-chat') {
    const got = await bench.adapter.ask(ask);
    assert.equal(got.text, THIRTY_WORDS);
    assert.equal(got.finish, 'stop');
  } else {
    await raises(bench, stream ? IN_STREAM : BROKEN, ask);
  }
}

/** A misbehaviour that only a timeout ends. */
const late = (name, whole, streamed) => (bench, stream) => (
  fault(name, whole, streamed)(bench.impatient(), stream));

/** A misbehaviour of the provider, and what the SDK may make of it. */
const fault = (name, whole, streamed) => async (bench, stream) => {
  await raises(bench, stream ? streamed : whole, bench.faulty(name, stream));
};

const BROKEN = ['bad_upstream'];
// The answer's head may already be on its way when a stream turns out to be no stream.
const BROKEN_STREAM = ['bad_upstream', 'in_stream'];
const IN_STREAM = ['in_stream'];
const LATE = ['timeout'];
const WHOLE = { modes: ['whole'] };
const STREAMED = { modes: ['streamed'] };
const GATEWAY_ONLY = { straight: false };

/** name, check, and what else: `needs` a feature, `straight` at the simulated provider too, `modes`. */
export const CASES = [
  ['plain', plain],
  ['scripts', scripts],
  ['pieces', pieces],
  ['conversation', conversation],
  ['cut-by-cap', cutByCap],
  ['tools', tools],
  ['tool-demanded', toolDemanded],
  ['tool-left-alone', toolLeftAlone],
  ['parallel-tools', parallelTools],
  ['long-arguments', longArguments],
  ['structured', structured],
  ['vision', vision],
  ['thinking', thinking],
  ['thinking-before-tools', thinkingBeforeTools],
  ['drip', drip],
  ['embeddings-float', embeddings('float'), { ...WHOLE, needs: 'embeddings' }],
  ['embeddings-base64', embeddings(undefined), { ...WHOLE, needs: 'embeddings' }],
  ['count', count, { ...WHOLE, needs: 'count' }],
  ['models', models, { ...WHOLE, needs: 'models' }],

  ['wrong-key', wrongKey, GATEWAY_ONLY],
  ['unknown-model', unknownModel, GATEWAY_ONLY],
  ['bad-request', badRequest, { needs: 'raw' }],
  ['rate-limited', rateLimited],
  ['limited', limited, GATEWAY_ONLY],
  ['500', fault('500', ['server'], ['server'])],
  ['503', fault('503', ['unavailable', 'overloaded'], ['unavailable', 'overloaded'])],
  ['529', overloaded],
  ['404', fault('404', ['not_found'], ['not_found'])],
  ['silence', silence, GATEWAY_ONLY],
  ['html', html, GATEWAY_ONLY],
  ['html-200', fault('html-200', BROKEN, BROKEN_STREAM), GATEWAY_ONLY],
  ['garbage', fault('garbage', BROKEN, BROKEN_STREAM), GATEWAY_ONLY],
  ['empty', fault('empty', BROKEN, BROKEN_STREAM), GATEWAY_ONLY],
  ['wrong-json', fault('wrong-json', BROKEN, BROKEN_STREAM), GATEWAY_ONLY],
  ['reset-early', fault('reset-early', [...BROKEN, 'unavailable'], [...BROKEN_STREAM, 'unavailable']), GATEWAY_ONLY],
  ['reset', fault('reset', BROKEN, IN_STREAM), GATEWAY_ONLY],
  ['cut', fault('cut', BROKEN, IN_STREAM), GATEWAY_ONLY],
  ['clean-end', fault('clean-end', BROKEN, IN_STREAM), GATEWAY_ONLY],
  ['no-terminator', noTerminator, GATEWAY_ONLY],
  ['garbage-chunk', fault('garbage-chunk', BROKEN, IN_STREAM), GATEWAY_ONLY],
  ['stall', late('stall', LATE, IN_STREAM), GATEWAY_ONLY],
  ['silence-stream', late('silence-stream', LATE, [...IN_STREAM, ...LATE]), { ...STREAMED, ...GATEWAY_ONLY }],
  ['error-in-stream', fault('error-in-stream', BROKEN, IN_STREAM), { ...STREAMED, ...GATEWAY_ONLY }],
  ['error-in-200', fault('error-in-200', [...BROKEN, 'server'], [...BROKEN_STREAM, 'server']), GATEWAY_ONLY],
  ...OPERATIONS,
].map(([name, check, { needs = null, straight = true, modes = ['whole', 'streamed'] } = {}]) => (
  { name, check, needs, straight, modes }));
