// Changes of the contracts by their governor.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DELAY, World, refused } from './support/world.mjs';
import { shortString } from 'starknet';

describe('a timelock', { concurrency: false }, () => {
  let world;
  let contracts;
  let token;
  let other;

  before(async () => {
    world = await World.start();
    contracts = await world.everything();
    ({ token } = contracts);
    other = (await world.devnet.declare('ResultRegistry')).hash;
  });
  after(() => world.stop());

  const classOf = (contract) => world.devnet.provider.getClassHashAt(`0x${contract.address.toString(16)}`);

  it('lets nobody but the governor announce, cancel or carry out', async () => {
    for (const [method, argument] of [['schedule', other], ['cancel', other], ['upgrade', other]]) {
      await refused(token.send(world.guardian, method, argument), 'NotGovernor');
    }
  });

  it('upgrades a contract only after announcement and delay, once, and keeps its storage', async () => {
    await contracts.mint(world.users[0], 77n);
    const { address } = token;
    await refused(token.send(world.governor, 'upgrade', other), 'NotScheduled');
    await token.send(world.governor, 'schedule', other);
    await refused(token.send(world.governor, 'schedule', other), 'AlreadyScheduled');
    await refused(token.send(world.governor, 'upgrade', other), 'TooEarly');
    await contracts.pass(DELAY - 3600);
    await refused(token.send(world.governor, 'upgrade', other), 'TooEarly');
    await contracts.pass(3600);
    await refused(token.send(world.governor, 'upgrade', (await world.devnet.declare('CDCPool')).hash), 'NotScheduled');
    const before = await classOf(token);
    await token.send(world.governor, 'upgrade', other);
    assert.equal(BigInt(await classOf(token)), BigInt(other));
    await refused(token.send(world.governor, 'upgrade', before), 'NotScheduled');

    await token.send(world.governor, 'schedule', before);
    await contracts.pass(DELAY);
    await token.send(world.governor, 'upgrade', before);
    assert.equal(token.address, address);
    assert.equal(await token.call('balance_of', world.users[0].address), 77n);
  });

  it('forgets what is cancelled', async () => {
    await token.send(world.governor, 'schedule', other);
    await token.send(world.governor, 'cancel', other);
    await refused(token.send(world.governor, 'cancel', other), 'NotScheduled');
    await contracts.pass(DELAY);
    await refused(token.send(world.governor, 'upgrade', other), 'NotScheduled');
  });

  it('ends a halt of the client only after the delay, and by the governor alone', async () => {
    const { client } = contracts;
    const resume = shortString.encodeShortString('resume');
    await client.send(world.governor, 'schedule', resume);
    await contracts.pass(DELAY);
    await client.send(world.guardian, 'halt');
    await refused(client.send(world.governor, 'resume'), 'NotScheduled');
    await refused(client.send(world.guardian, 'schedule', resume), 'NotGovernor');
    await client.send(world.governor, 'schedule', resume);
    await refused(client.send(world.governor, 'resume'), 'TooEarly');
    await refused(client.send(world.guardian, 'halt'), 'Halted');
    await world.devnet.setTime((await world.devnet.now()) + DELAY);
    await refused(client.send(world.guardian, 'resume'), 'NotGovernor');
    await client.send(world.governor, 'resume');
    assert.equal(await client.call('is_halted'), false);
    await refused(client.send(world.governor, 'resume'), 'NotScheduled');
  });
});
