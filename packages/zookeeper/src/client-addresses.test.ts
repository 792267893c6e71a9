import { expect, test } from 'vitest';
import { clientAddresses } from './client-addresses.ts';
import { serverName } from './connect-string.ts';

test.each([
  ['server.1=zk1:2888:3888:participant;127.0.0.1:2181', ['127.0.0.1:2181']],
  ['server.2=zk2:2888:3888:observer;client.zk2:2182', ['client.zk2:2182']],
  ['server.3=zk3:2888:3888;2181', ['zk3:2181']],
  ['server.4=zk4:2888:3888:participant;0.0.0.0:2181', ['zk4:2181']],
  ['server.5=[2001:db8:0:0:0:0:0:5]:2888:3888:participant;[0:0:0:0:0:0:0:0]:2181', ['[2001:db8::5]:2181']],
  ['server.6=zk6:2888:3888:participant;[2001:db8:0:0:0:0:0:6]:2181', ['[2001:db8::6]:2181']],
  ['server.7=zk7a:2888:3888|zk7b:2889:3889:participant;0.0.0.0:2181', ['zk7a:2181', 'zk7b:2181']],
  ['server.8=zk8:2888:3888:participant', []],
  ['server.9=zk9:2888:3888:participant;', []],
  ['server.10=zk10:2888:3888:participant;nonsense here:2181', []],
  ['server.11=zk11:2888:3888:participant;0.0.0.0:70000', []],
])('%s takes clients at %j', (member, addresses) => {
  expect(clientAddresses([member]).map(serverName)).toEqual(addresses);
});

test('an address that two members give is one', () => {
  const members = ['server.1=zk:1:2;2181', 'server.2=zk:3:4;2181', 'server.3=zk:5:6;2182'];
  expect(clientAddresses(members).map(serverName)).toEqual(['zk:2181', 'zk:2182']);
});
