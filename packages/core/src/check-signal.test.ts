import { expect, test } from 'vitest';
import { checkSignal } from './check-signal.ts';

test('what is no signal is refused by the name of the option', () => {
  for (const wrong of [null, 0, '', 'signal', {}, [], new AbortController(), new EventTarget()])
    expect(() => checkSignal('options.signal', wrong), String(wrong)).toThrow(
      'options.signal: expected an AbortSignal',
    );
});

test('a signal is taken, and none as well', () => {
  for (const right of [undefined, AbortSignal.abort(), new AbortController().signal, AbortSignal.any([])])
    expect(() => checkSignal('signal', right)).not.toThrow();
});
