// What a case asks and what an adapter answers, in words that no vendor owns.
// It is the same small language as python/exchange.py.

/** An answer as every adapter gives it back. */
export function answer(fields = {}) {
  return {
    text: '', calls: [], finish: null, inputTokens: null, outputTokens: null, reasoning: '',
    reasoningTokens: 0, textPieces: 0, argumentPieces: 0, said: null, ...fields,
  };
}

/** A fault that an SDK reports as a part of the stream and not by throwing. */
export class InStream extends Error {
  constructor(reported) {
    super(`reported in the stream: ${JSON.stringify(reported?.message ?? reported)}`);
    this.reported = reported;
  }
}

export const base64 = (bytes) => Buffer.from(bytes).toString('base64');
