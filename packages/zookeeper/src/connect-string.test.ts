import { expect, test } from 'vitest';
import { parseConnectString, serverName } from './connect-string.ts';

test.each([
  ['zk1', ['zk1:2181'], ''],
  ['zk1:2181,zk2:2182', ['zk1:2181', 'zk2:2182'], ''],
  [' zk1:2181 , zk2 /app/a ', ['zk1:2181', 'zk2:2181'], '/app/a'],
  ['127.0.0.1:2181/', ['127.0.0.1:2181'], ''],
  ['[::1]:2181,[fe80::1%eth0]', ['[::1]:2181', '[fe80::1%eth0]:2181'], ''],
  ['zk-0.zk.default.svc.cluster.local.:2181', ['zk-0.zk.default.svc.cluster.local.:2181'], ''],
])('reads %j', (text, servers, chroot) => {
  const parsed = parseConnectString(text);
  expect(parsed.servers.map(serverName)).toEqual(servers);
  expect(parsed.chroot).toBe(chroot);
});

test.each([
  ['', 'servers such as'],
  ['  ', 'servers such as'],
  [undefined, 'servers such as'],
  ['/app', 'no empty entry'],
  ['zk1,,zk2', 'no empty entry'],
  ['zk1:', 'a port from 1 to 65535'],
  ['zk1:0', 'a port from 1 to 65535'],
  ['zk1:65536', 'a port from 1 to 65535'],
  ['zk1:21 81', 'a port from 1 to 65535'],
  ['zk1:2181:2182', 'a port from 1 to 65535'],
  ['::1', 'goes in brackets'],
  ['[zk1]:2181', 'an IPv6 address in the brackets'],
  ['zk 1', 'a host name or address'],
  ['zookeeper://zk1:2181', 'chroot'],
  ['zk1:2181/app/', 'not ending with /'],
  ['zk1:2181/a//b', 'no empty segment'],
])('refuses %j and names the argument', (text, why) => {
  expect(() => parseConnectString(text)).toThrow(/^servers/);
  expect(() => parseConnectString(text)).toThrow(why);
});
