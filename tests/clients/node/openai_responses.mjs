// The OpenAI SDK, Responses: created, and streamed through the SDK's own state machine.
import { answer, base64 } from './exchange.mjs';
import { OpenAIAdapter } from './openai_sdk.mjs';

export class OpenAIResponsesAdapter extends OpenAIAdapter {
  static sdk = 'openai-responses';
  static dialect = 'openai-responses';
  features = new Set(['raw', 'thinking-text']);

  async ask(ask) {
    const body = {
      model: ask.model, input: this.input(ask), store: false, max_output_tokens: ask.maxTokens,
      ...(ask.system && { instructions: ask.system }),
      ...(ask.tools.length && {
        tools: ask.tools.map(({ name, description, schema }) => (
          { type: 'function', name, description, parameters: schema, strict: true })),
      }),
      ...(ask.mustCall && { tool_choice: 'required' }),
      ...(ask.schema && {
        text: { format: { type: 'json_schema', name: 'answer', schema: ask.schema, strict: true } },
      }),
      ...(ask.thinking && {
        reasoning: { effort: 'low', summary: 'auto' }, include: ['reasoning.encrypted_content'],
      }),
      ...ask.raw,
    };
    if (!ask.stream) return this.whole(await this.client.responses.create(body));
    let [text, textPieces, argumentPieces, last, final] = ['', 0, 0, -1, null];
    const stream = this.client.responses.stream(body);
    for await (const event of stream) {
      if (event.sequence_number !== last + 1) throw new Error(`event ${event.sequence_number} after ${last}`);
      last = event.sequence_number;
      if (event.type === 'response.output_text.delta') {
        text += event.delta;
        textPieces += 1;
      } else if (event.type === 'response.function_call_arguments.delta') {
        argumentPieces += 1;
      } else if (event.type === 'response.incomplete') {
        // No final one to the SDK: its last event holds it.
        final = event.response;
      }
    }
    const got = this.whole(final ?? await stream.finalResponse());
    if (got.text !== text) throw new Error(`gathered ${got.text}, streamed ${text}`);
    return Object.assign(got, { textPieces, argumentPieces });
  }

  input(ask) {
    const turns = ask.turns.map(({ role, text, png }) => ({
      role,
      content: !png ? text : [
        { type: 'input_text', text },
        { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${base64(png)}` },
      ],
    }));
    return [...turns, ...ask.tail];
  }

  whole(reply) {
    const of = (type) => reply.output.filter((item) => item.type === type);
    const calls = of('function_call').map((call) => (
      { id: call.call_id, name: call.name, arguments: JSON.parse(call.arguments) }));
    const why = reply.incomplete_details?.reason;
    const finish = why === 'max_output_tokens' ? 'length' : why ?? (calls.length ? 'tool_calls' : 'stop');
    return answer({
      text: of('message').flatMap((item) => item.content.map((part) => part.text ?? '')).join(''),
      calls, finish,
      said: reply.output.map(({ status, parsed_arguments: parsed, ...item }) => item),
      reasoning: of('reasoning').flatMap((item) => item.summary.map((part) => part.text)).join(''),
      inputTokens: reply.usage.input_tokens, outputTokens: reply.usage.output_tokens,
      reasoningTokens: reply.usage.output_tokens_details.reasoning_tokens,
    });
  }

  followUp(ask, first, results) {
    const told = first.calls.map((call) => (
      { type: 'function_call_output', call_id: call.id, output: results[call.name] }));
    return { ...ask, mustCall: false, tail: [...ask.tail, ...first.said, ...told] };
  }
}
