// Cases of the OpenAI SDK beside chat: what travels as it is. A part of the table in cases.mjs, and
// the twin of python/operations.py.
import assert from 'node:assert/strict';

import { toFile } from 'openai';

const SOUND = Buffer.concat([Buffer.from('RIFF'), Buffer.alloc(64_000)]);
const named = (bench, model) => bench.provider.prefix + model;
const sound = () => toFile(SOUND, 'a.wav', { type: 'audio/wav' });

async function moderate(bench) {
  const model = named(bench, 'omni-moderation-latest');
  const { results } = await bench.adapter.client.moderations.create({ model, input: ['harm', 'peace'] });
  assert.deepEqual(results.map((result) => result.flagged), [true, false]);
}

async function draw(bench) {
  const ask = { model: named(bench, 'gpt-image-1'), prompt: 'a circle', n: 2 };
  const { data } = await bench.adapter.client.images.generate(ask);
  assert.equal(data.length, 2);
  assert.equal(Buffer.from(data[0].b64_json, 'base64').subarray(1, 4).toString(), 'PNG');
}

async function redraw(bench) {
  const { images } = bench.adapter.client;
  const picture = () => toFile(Buffer.from('\x89PNG', 'latin1'), 'a.png', { type: 'image/png' });
  // The SDK sends the fields in the order in which they stand here: the picture first.
  const edited = await images.edit(
    { image: await picture(), prompt: 'redder', model: named(bench, 'gpt-image-1') });
  assert.ok(edited.data[0].b64_json);
  const varied = await images.createVariation(
    { image: await picture(), model: named(bench, 'dall-e-2') });
  assert.ok(varied.data[0].url);
}

async function speak(bench) {
  const ask = { model: named(bench, 'tts-1'), input: 'Good morning', voice: 'alloy' };
  const reply = await bench.adapter.client.audio.speech.create(ask);
  assert.ok((await reply.arrayBuffer()).byteLength > 500);
}

async function hear(bench, stream) {
  const { transcriptions, translations } = bench.adapter.client.audio;
  const model = named(bench, stream ? 'gpt-4o-transcribe' : 'whisper-1');
  const file = await sound();
  if (stream) {
    const events = await transcriptions.create({ file, model, stream: true });
    let last;
    for await (const event of events) last = event;
    assert.match(last.text, /64004 bytes/);
    return;
  }
  assert.match((await transcriptions.create({ file, model })).text, /64004 bytes/);
  const lines = await transcriptions.create({ file: await sound(), model, response_format: 'srt' });
  assert.match(String(lines), /^1\n00:00/);
  assert.ok((await translations.create({ file: await sound(), model })).text);
}

// Files name no model; a header says who is to hold them.
function held({ adapter: { client }, provider: { prefix } }) {
  if (!prefix) return client;
  return client.withOptions({ defaultHeaders: { 'x-tollgate-provider': prefix.slice(0, -1) } });
}

async function files(bench) {
  const kept = held(bench).files;
  const file = await toFile(Buffer.from('some notes'), 'notes.txt');
  const made = await kept.create({ file, purpose: 'user_data' });
  assert.equal((await kept.retrieve(made.id)).filename, 'notes.txt');
  assert.equal(await (await kept.content(made.id)).text(), 'some notes');
  const listed = [];
  for await (const one of kept.list()) listed.push(one.id);
  assert.ok(listed.includes(made.id), listed.join());
  assert.ok((await kept.delete(made.id)).deleted);
  await assert.rejects(kept.retrieve(made.id), bench.adapter.errors.not_found);
}

async function batches(bench) {
  const client = held(bench);
  const line = {
    custom_id: 'one', method: 'POST', url: '/v1/chat/completions',
    body: {
      model: named(bench, bench.provider.model), messages: [{ role: 'user', content: 'say 3 words' }],
    },
  };
  const file = await toFile(Buffer.from(JSON.stringify(line)), 'lines.jsonl');
  const lines = await client.files.create({ file, purpose: 'batch' });
  let made = await client.batches.create(
    { input_file_id: lines.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  for (let tries = 0; made.status !== 'completed' && tries < 100; tries += 1) {
    made = await client.batches.retrieve(made.id);
  }
  const answered = JSON.parse(await (await client.files.content(made.output_file_id)).text());
  assert.equal(answered.response.body.choices[0].message.content, 'word1 word2 word3');
}

async function messageBatches(bench) {
  const kept = bench.adapter.client.messages.batches;
  let made = await kept.create({
    requests: [{
      custom_id: 'one',
      params: {
        model: named(bench, bench.provider.model), max_tokens: 50,
        messages: [{ role: 'user', content: 'say 3 words' }],
      },
    }],
  });
  for (let tries = 0; made.processing_status !== 'ended' && tries < 100; tries += 1) {
    made = await kept.retrieve(made.id);
  }
  const results = [];
  // The SDK reads them where the batch says that they are.
  for await (const one of await kept.results(made.id)) results.push(one);
  assert.equal(results[0].result.message.content[0].text, 'word1 word2 word3');
  assert.equal((await kept.delete(made.id)).type, 'message_batch_deleted');
}

const WHOLE = { needs: 'operations', modes: ['whole'] };

export const OPERATIONS = [
  ['moderate', moderate, WHOLE],
  ['draw', draw, WHOLE],
  ['redraw', redraw, WHOLE],
  ['speak', speak, WHOLE],
  ['hear', hear, { needs: 'operations' }],
  ['files', files, WHOLE],
  ['batches', batches, WHOLE],
  // Straight, the address of the results is none.
  ['message-batches', messageBatches, { needs: 'message-batches', modes: ['whole'], straight: false }],
];
