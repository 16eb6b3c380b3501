import assert from 'node:assert';
import { describe, it, test } from 'node:test';

test('passes # with a hash', () => {});
test('fails', () => assert.strictEqual(1, 2, 'one is not two'));
test('skipped', { skip: 'no network' }, () => {});
test('later', { todo: 'not done' }, () => { throw new Error('x'); });
test('nested', async (t) => {
  await t.test('inner', () => {});
  await t.test('deeper', async (u) => {
    await u.test('deep', () => { throw new Error('two\nlines\nok 99 - none\n...'); });
  });
});
describe('suite', () => {
  it('same', () => {});
  it('same', () => {});
});
