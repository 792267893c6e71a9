import { createHash } from 'node:crypto';
import { tokenOffset } from './envelope.ts';

/** A script, and the name Redis has for it once it knows it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
  /** Several calls of it are one request: each has so many keys and arguments, and its answer its place in a list. */
  readonly each?: { readonly keys: number; readonly args: number };
}

const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') });

/** A request costs the client more than its work costs the server: what leaves together is one. */
const together = (keys: number, args: number, prelude: string, lua: string): Script => ({
  ...script(`${prelude}
local function call(KEYS, ARGV)
${lua}
end
local answers = {}
for i = 0, #KEYS / ${keys} - 1 do
  local keys = {unpack(KEYS, i * ${keys} + 1, (i + 1) * ${keys})}
  answers[i + 1] = call(keys, {unpack(ARGV, i * ${args} + 1, (i + 1) * ${args})})
end
return answers`),
  each: { keys, args },
});

/** Microseconds of the server. */
const now = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end`;

/** Those in other processes who wait for this key are told that there is something to look at. */
const wake = `
local function wake(waiters, channel, message)
  for _, id in ipairs(redis.call('SMEMBERS', waiters)) do
    redis.call('PUBLISH', channel .. id, message)
  end
  redis.call('DEL', waiters)
end`;

/**
 * A client sends a request again when its connection was lost before the answer. By then a newer token may have been
 * here: the second copy must be answered like the first, which was done, and must not be done again.
 */
const passOnce = `
local function passOnce(fence, token, life, done, doneLife)
  if token == '' then return 'new' end
  if redis.call('EXISTS', done) == 1 then return 'done' end
  if not passFence(fence, token, life) then return 'fenced' end
  redis.call('SET', done, '', 'PX', doneLife)
  return 'new'
end`;

/** Tokens are compared as text: they may have more digits than a number of Lua holds. */
const passFence = `
local function passFence(key, token, life)
  if token == '' then return true end
  local newest = redis.call('GET', key)
  if newest and (#token < #newest or (#token == #newest and token < newest)) then return false end
  redis.call('SET', key, token, 'PX', life)
  return true
end`;

/**
 * Asks for the right to load. Gives {1, token} to whoever has it now, {0, ms} while another has it, and {2, 0} when
 * the entry is no longer the one the caller has seen. Asking twice with the same name is asking once.
 */
export const claim: Script = together(
  3,
  4,
  `${now}`,
  `local entry, lease, waiters = KEYS[1], KEYS[2], KEYS[3]
local owner, life, seen, process = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('TYPE', entry).ok == 'string' then
  local token = redis.call('GETRANGE', entry, ${tokenOffset}, ${tokenOffset + 7})
  if #token == 8 and token ~= seen then return {2, 0} end
end
local held = redis.call('GET', lease)
if held then
  local token, by = string.match(held, '^(%d+) (.*)$')
  if by == owner then return {1, token} end
  redis.call('SADD', waiters, process)
  redis.call('PEXPIRE', waiters, life * 20)
  return {0, redis.call('PTTL', lease)}
end
local token = string.format('%.0f', now())
redis.call('SET', lease, token .. ' ' .. owner, 'PX', life)
return {1, token}`,
);

/** Keeps what was loaded, while the lease still holds. Gives 1, or 0 when the lease was lost, or 2 when a newer token has been here. */
export const fill: Script = together(
  4,
  9,
  `${wake}${passFence}`,
  `local entry, lease, waiters, fence = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local held, value, life, token, fenceLife = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if redis.call('GET', lease) ~= held then return 0 end
redis.call('DEL', lease)
local passed = passFence(fence, token, fenceLife)
if passed and value ~= '' then
  redis.call('SET', entry, value, 'PX', life)
  if token ~= '' then redis.call('PUBLISH', ARGV[8], ARGV[9]) end
end
wake(waiters, ARGV[6], ARGV[7])
return passed and 1 or 2`,
);

/** A read under a token: from now on nothing is written under an older one. Gives 1, or 2 when a newer token has been here. */
export const raise: Script = together(1, 2, `${passFence}`, `return passFence(KEYS[1], ARGV[1], ARGV[2]) and 1 or 2`);

/** Whoever still loads has its lease for as long again. */
export const renew: Script = together(
  1,
  2,
  ``,
  `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`,
);

/** Writes, or deletes when the value is empty; a load that began before is not kept. Gives 1, or 2 when a newer token has been here. */
export const put: Script = together(
  5,
  9,
  `${wake}${passFence}${passOnce}`,
  `local entry, lease, waiters, fence, done = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local value, life, token, fenceLife, doneLife = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[9]
local passed = passOnce(fence, token, fenceLife, done, doneLife)
if passed == 'done' then return 1 end
if passed == 'fenced' then return 2 end
if value == '' then redis.call('DEL', entry) else redis.call('SET', entry, value, 'PX', life) end
redis.call('DEL', lease)
wake(waiters, ARGV[5], ARGV[6])
redis.call('PUBLISH', ARGV[7], ARGV[8])
return 1`,
);

/**
 * Moves the clock of invalidations, and each tag to it. The clock follows the server's time and never goes back, so that
 * a Redis that has lost its data, or a replica that had not seen the last ones, does not begin below what was given out.
 */
export const invalidate: Script = script(
  `${now}
local clock = string.format('%.0f', math.max(now(), tonumber(redis.call('GET', KEYS[1]) or '0') + 1))
redis.call('SET', KEYS[1], clock)
for i = 2, #KEYS do redis.call('SET', KEYS[i], clock, 'PX', ARGV[1]) end
redis.call('PUBLISH', ARGV[2], ARGV[3] .. clock .. ARGV[4])
return clock`,
);

/**
 * What the clock and these tags read. A tag that nobody knows begins at the clock as it is: whatever was loaded before
 * that is not valid any more, so a record that Redis has evicted makes for misses, never for old values.
 */
export const learn: Script = script(
  `${now}
local clock = redis.call('GET', KEYS[1])
if not clock then
  clock = string.format('%.0f', now())
  redis.call('SET', KEYS[1], clock)
end
local known = {clock}
for i = 2, #KEYS do
  local at = redis.call('GET', KEYS[i])
  if not at then
    at = clock
    redis.call('SET', KEYS[i], at, 'PX', ARGV[1])
  end
  known[i] = at
end
return known`,
);

/** Moves a namespace to a version. Gives the number of the move, or 0 when a newer token has moved it. */
export const move: Script = script(
  `${now}${passFence}${passOnce}
local record, fence, done = KEYS[1], KEYS[2], KEYS[3]
local version, token, life, doneLife = ARGV[1], ARGV[2], ARGV[3], ARGV[7]
local passed = passOnce(fence, token, life, done, doneLife)
if passed == 'fenced' then return '0' end
if passed == 'done' then return 'done' end
local last = string.match(redis.call('GET', record) or '0 ', '^(%d+) ')
local number = string.format('%.0f', math.max(now(), last + 1))
redis.call('SET', record, number .. ' ' .. version)
redis.call('PUBLISH', ARGV[4], ARGV[5] .. number .. ARGV[6])
return number`,
);
