import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promptTemplateToJinja } from '../../../actors/families/prompt-template.ts';
import { ChatTemplate, type TemplateMessage } from '../../../actors/model/chat-template.ts';
import { code } from '../model/support/model-fixture.ts';

const SEED = 'USER: <image>\n<prompt> ASSISTANT:';
const image = { type: 'image' } as const;
const text = (words: string) => ({ type: 'text', text: words }) as const;
const user = (...content: TemplateMessage['content']): TemplateMessage => ({ role: 'user', content });
const said = (words: string, role = 'assistant'): TemplateMessage => ({ role, content: [text(words)] });

function rendered(template: string, messages: readonly TemplateMessage[], placeholder = '<image>'): string {
  const chatTemplate = promptTemplateToJinja(template, placeholder);
  const tokenizerConfig = { bos_token: '<s>', eos_token: '</s>' };
  return new ChatTemplate({ path: '', chatTemplate, tokenizerConfig }).render(messages);
}

test('a question about an image takes the places of <image> and <prompt>', () => {
  assert.equal(rendered(SEED, [user(image, text('What?'))]), 'USER: <image>\nWhat? ASSISTANT:');
});

test('a question alone leaves out the image and what is between', () => {
  assert.equal(rendered(SEED, [user(text('What?'))]), 'USER: What? ASSISTANT:');
});

test('several images stand before one text', () => {
  assert.equal(rendered(SEED, [user(image, image, text('What?'))]), 'USER: <image><image>\nWhat? ASSISTANT:');
});

test('the model’s own placeholder stands for an image', () => {
  assert.equal(rendered(SEED, [user(image, text('?'))], '<|image|>'), 'USER: <|image|>\n? ASSISTANT:');
});

test('turns follow each other, answers end with the model’s end of sequence', () => {
  const turns = [user(image, text('What?')), said('A cat.'), user(text('Why?'))];
  assert.equal(rendered(SEED, turns), 'USER: <image>\nWhat? ASSISTANT: A cat.</s>USER: Why? ASSISTANT:');
});

test('a system message stands before', () => {
  assert.equal(
    rendered(SEED, [said('Be brief.', 'system'), user(text('?'))]),
    'Be brief. USER: ? ASSISTANT:',
  );
});

test('<bos> is the model’s first token', () => {
  assert.equal(rendered('<image><bos><prompt>\n', [user(image, text('cap en'))]), '<image><s>cap en\n');
});

test('a backslash and an n, as a shell hands them over, are a new line', () => {
  assert.equal(rendered('<image>\\n<prompt>', [user(image, text('?'))]), '<image>\n?');
});

test('quotes and braces in a template are text', () => {
  assert.equal(rendered('{{ "a" }} {% b %} <prompt>\'', [user(text('?'))]), '{{ "a" }} {% b %} ?\'');
});

for (const wrong of ['', 'USER:', '<prompt><prompt>', '<image><image><prompt>', '<prompt><image>']) {
  test(`${JSON.stringify(wrong)} is refused`, () => {
    assert.throws(() => promptTemplateToJinja(wrong, '<image>'), code('PROMPT_TEMPLATE_INVALID'));
  });
}
