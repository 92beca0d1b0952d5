// Runs the table of cases with the Node SDKs and writes one JSON line per case.
//
//     node run.mjs --config TARGETS.json --out RESULTS.jsonl [--only WORD] SDK …
//
// TARGETS.json says where to call and with which key; tests/clients/run writes it.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { AnthropicAdapter } from './anthropic_sdk.mjs';
import { BedrockAdapter } from './bedrock_sdk.mjs';
import { Bench, CASES } from './cases.mjs';
import { GoogleAdapter } from './google_sdk.mjs';
import { OpenAIResponsesAdapter } from './openai_responses.mjs';
import { OpenAIAdapter } from './openai_sdk.mjs';
import { VercelAnthropic, VercelCompatible, VercelGoogle, VercelOpenAI } from './vercel_sdk.mjs';

const SDKS = {
  openai: [OpenAIAdapter],
  'openai-responses': [OpenAIResponsesAdapter],
  anthropic: [AnthropicAdapter],
  bedrock: [BedrockAdapter],
  'google-genai': [GoogleAdapter],
  vercel: [VercelOpenAI, VercelCompatible, VercelAnthropic, VercelGoogle],
};
// Longer than any fault of the table may last; an SDK that waits this long has found a hang.
const SDK_MILLISECONDS = 15_000;
const AT_ONCE = 8;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { config: { type: 'string' }, out: { type: 'string' }, only: { type: 'string', default: '' } },
});

// What travels as it is.
const OWN_DIALECT_ONLY = new Set(['operations', 'message-batches']);

function* jobs(targets) {
  for (const Adapter of positionals.flatMap((name) => SDKS[name])) {
    for (const provider of targets.providers) {
      if (targets.straight && (Adapter.onlyThrough || provider.dialect !== Adapter.dialect)) continue;
      const bench = new Bench(Adapter, targets, provider, SDK_MILLISECONDS);
      for (const row of CASES) {
        if (row.needs && !bench.adapter.features.has(row.needs)) continue;
        if (provider.without?.includes(row.needs)) continue;
        if (row.needs === 'embeddings' && !provider.embedding_model) continue;
        if (OWN_DIALECT_ONLY.has(row.needs) && provider.dialect !== Adapter.dialect) continue;
        if (targets.straight && !row.straight) continue;
        const way = targets.straight ? 'straight' : `to ${provider.dialect}`;
        for (const mode of row.modes) {
          const name = `node ${Adapter.sdk} ${Adapter.version} ${way}: ${row.name} ${mode}`;
          if (name.includes(options.only)) yield { name, row, bench, mode };
        }
      }
    }
  }
}

async function run({ name, row, bench, mode }) {
  const began = performance.now();
  const result = { name, status: 'passed' };
  try {
    await row.check(bench, mode === 'streamed');
  } catch (error) {
    const at = error.name === 'AssertionError' ? '' : ` ${error.stack?.split('\n')[1]?.trim() ?? ''}`;
    Object.assign(result, { status: 'failed', why: `${error.name}: ${String(error.message).slice(0, 500)}${at}` });
  }
  return { ...result, seconds: Math.round(performance.now() - began) / 1000 };
}

const waiting = [...jobs(JSON.parse(readFileSync(options.config)))];
const results = [];
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (let job = waiting.shift(); job; job = waiting.shift()) results.push(await run(job));
}));
writeFileSync(options.out, results.map((row) => `${JSON.stringify(row)}\n`).join(''));
