import { createHash } from 'node:crypto';
import { tokenOffset } from './envelope.ts';

/** A script, and the name Redis has for it once it knows it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
  /** Its answer has bytes in it. */
  readonly bytes?: true;
  /** Several calls of it are one request: each has so many keys and arguments, and its answer its place in a list. */
  readonly each?: { readonly keys: number; readonly args: number };
}

const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') });

/** A request costs the client more than its work costs the server: what leaves together is one. An error is the answer of its own call alone. */
const together = (keys: number, args: number, prelude: string, lua: string): Script => ({
  ...script(`${prelude}
local function call(KEYS, ARGV)
${lua}
end
local answers = {}
for i = 0, #KEYS / ${keys} - 1 do
  local keys = {unpack(KEYS, i * ${keys} + 1, (i + 1) * ${keys})}
  local done, answer = pcall(call, keys, {unpack(ARGV, i * ${args} + 1, (i + 1) * ${args})})
  if not done and type(answer) == 'string' then answer = redis.error_reply(answer) end
  answers[i + 1] = answer
end
return answers`),
  each: { keys, args },
});

const bytes = (from: Script): Script => ({ ...from, bytes: true });

/** Microseconds of the server. */
const now = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end`;

/**
 * A lease is the name of who holds it, and after it, each behind a space, the processes that wait for what it brings. They
 * are told that there is something to look at.
 */
const lease = `
local function isOf(lease, owner)
  return lease == owner or string.sub(lease, 1, #owner + 1) == owner .. ' '
end
local function wake(lease, channel, message)
  for id in string.gmatch(lease, ' (%S+)') do redis.call('PUBLISH', channel .. id, message) end
end`;

/**
 * A client sends a request again when its connection was lost before the answer. By then somebody else may have written, or a
 * newer token have been here: the second copy must be answered like the first, which was done, and must not be done again.
 */
const passOnce = `
local function passOnce(fence, token, life, done, doneLife)
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
 * Asks for the right to load. Gives the entry, when it is no longer the one that the caller has seen; else 1 to whoever
 * has the right now; and while another has it 0, or what is left of its time, below 0. Asking twice with the same name is
 * asking once.
 */
export const claim: Script = bytes(
  together(
    2,
    4,
    `${lease}`,
    `local entry, lease = KEYS[1], KEYS[2]
local owner, life, seen, process = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local there = redis.pcall('GET', entry)
if type(there) == 'string' and #there >= ${tokenOffset + 8} and string.sub(there, ${tokenOffset + 1}, ${tokenOffset + 8}) ~= seen then
  return there
end
if redis.call('SET', lease, owner, 'NX', 'PX', life) then return 1 end
local held = redis.call('GET', lease)
if isOf(held, owner) then return 1 end
if not string.find(held, ' ' .. process, 1, true) then redis.call('APPEND', lease, ' ' .. process) end
return -redis.call('PTTL', lease)`,
  ),
);

/** Keeps what was loaded, while the lease still holds. Gives 1, or 0 when the lease was lost, or 2 when a newer token has been here. */
export const fill: Script = together(
  3,
  9,
  `${lease}${passFence}`,
  `local entry, lease, fence = KEYS[1], KEYS[2], KEYS[3]
local owner, value, life, token, fenceLife = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local held = redis.call('GET', lease)
if not held or not isOf(held, owner) then return 0 end
redis.call('DEL', lease)
local passed = passFence(fence, token, fenceLife)
if passed and value ~= '' then
  redis.call('SET', entry, value, 'PX', life)
  if token ~= '' then redis.call('PUBLISH', ARGV[8], ARGV[9]) end
end
wake(held, ARGV[6], ARGV[7])
return passed and 1 or 2`,
);

/** A read under a token: from now on nothing is written under an older one. Gives 1, or 2 when a newer token has been here. */
export const raise: Script = together(1, 2, `${passFence}`, `return passFence(KEYS[1], ARGV[1], ARGV[2]) and 1 or 2`);

/** Whoever still loads has its lease for as long again. */
export const renew: Script = together(
  1,
  2,
  `${lease}`,
  `local held = redis.call('GET', KEYS[1])
if held and isOf(held, ARGV[1]) then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`,
);

/** Writes, or deletes when the value is empty; a load that began before is not kept. Gives 1, or 2 when a newer token has been here. */
export const put: Script = together(
  4,
  9,
  `${lease}${passFence}${passOnce}`,
  `local entry, lease, fence, done = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local value, life, token, fenceLife, doneLife = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[9]
local passed = passOnce(fence, token, fenceLife, done, doneLife)
if passed == 'done' then return 1 end
if passed == 'fenced' then return 2 end
if value == '' then redis.call('DEL', entry) else redis.call('SET', entry, value, 'PX', life) end
local held = redis.call('GETDEL', lease)
if held then wake(held, ARGV[5], ARGV[6]) end
redis.call('PUBLISH', ARGV[7], ARGV[8])
return 1`,
);

/**
 * What the clock reads, and what it read when all was cleared; where there is no record, or another's, that is now. It is
 * never earlier than what the caller has seen: a replica that takes over may have a clock that is behind, and may not have
 * received the last record.
 */
const clockRecord = `
local function after(before)
  return string.format('%.0f', math.max(now(), before + 1))
end
local function read(record, seen)
  local clock, cleared = string.match(record or '', '^(%d+) (%d+)$')
  if clock then return string.format('%.0f', math.max(clock, seen)), cleared end
  clock = after(seen)
  return clock, clock
end`;

/**
 * Moves the clock of invalidations, and each tag to it. The clock follows the server's time and never goes back, so that
 * a Redis that has lost its data, or a replica that had not seen the last ones, does not begin below what was given out.
 * A tag that is not remembered needs no record: whoever asks for it next begins at the clock.
 */
export const invalidate: Script = script(
  `${now}${clockRecord}
local before, cleared = read(redis.call('GET', KEYS[1]), ARGV[4])
local clock = after(before)
redis.call('SET', KEYS[1], clock .. ' ' .. cleared)
for i = 2, #KEYS do redis.call('SET', KEYS[i], clock, 'XX', 'KEEPTTL') end
redis.call('PUBLISH', ARGV[1], ARGV[2] .. clock .. ARGV[3])
return clock`,
);

/**
 * What the clock reads, what it read when all was cleared, and what these tags read, which are remembered for so long from now. A tag that nobody knows begins at the
 * clock as it is: whatever was loaded before that is not valid any more, so a record that has expired, or that Redis has
 * evicted, makes for misses, never for old values.
 */
export const learn: Script = script(
  `${now}${clockRecord}
local known = redis.call('MGET', unpack(KEYS))
local clock, cleared = read(known[1], ARGV[2])
if known[1] ~= clock .. ' ' .. cleared then redis.call('SET', KEYS[1], clock .. ' ' .. cleared) end
known[1] = cleared
table.insert(known, 1, clock)
for i = 2, #KEYS do
  if not (known[i + 1] and string.match(known[i + 1], '^%d+$')) then
    known[i + 1] = clock
    redis.call('SET', KEYS[i], clock, 'PX', ARGV[1])
  elseif redis.call('PTTL', KEYS[i]) < tonumber(ARGV[1]) then
    redis.call('PEXPIRE', KEYS[i], ARGV[1])
  end
end
return known`,
);

/** Moves the clock, and all that was kept is from before: in one write, whatever the number of keys. */
export const clear: Script = script(
  `${now}${clockRecord}
local clock = after((read(redis.call('GET', KEYS[1]), ARGV[3])))
redis.call('SET', KEYS[1], clock .. ' ' .. clock)
redis.call('PUBLISH', ARGV[1], ARGV[2] .. clock)
return clock`,
);

/** Moves a namespace to a version. Gives the number of the move, or 0 when a newer token has moved it. */
export const move: Script = script(
  `${now}${passFence}${passOnce}
local record, fence, done = KEYS[1], KEYS[2], KEYS[3]
local version, token, life, doneLife, seen = ARGV[1], ARGV[2], ARGV[3], ARGV[7], ARGV[8]
local passed = passOnce(fence, token, life, done, doneLife)
if passed == 'fenced' then return '0' end
if passed == 'done' then return 'done' end
local last = string.match(redis.call('GET', record) or '0 ', '^(%d+) ')
local number = string.format('%.0f', math.max(now(), last + 1, seen + 1))
redis.call('SET', record, number .. ' ' .. version)
redis.call('PUBLISH', ARGV[4], ARGV[5] .. number .. ARGV[6])
return number`,
);
