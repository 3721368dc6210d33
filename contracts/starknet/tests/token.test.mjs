// CIRO on Starknet as a token: SNIP-2 / ERC-20 by example, and its books against a model over random sequences.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { shortString } from 'starknet';
import { events } from './support/devnet.mjs';
import { random } from './support/random.mjs';
import { CIRO, World, refused } from './support/world.mjs';

const UNLIMITED = 2n ** 256n - 1n;

describe('the token', { concurrency: false }, () => {
  let world;
  let contracts;
  let token;

  before(async () => {
    world = await World.start();
    contracts = await world.everything();
    ({ token } = contracts);
  });
  after(() => world.stop());

  it('is named, and says so under both names that the standard has', async () => {
    assert.equal(shortString.decodeShortString(await token.call('name')), 'Ciro');
    assert.equal(shortString.decodeShortString(await token.call('symbol')), 'CIRO');
    assert.equal(await token.call('decimals'), 18n);
    const [alice] = world.users;
    await contracts.mint(alice, 5n * CIRO);
    assert.equal(await token.call('totalSupply'), await token.call('total_supply'));
    assert.equal(await token.call('balanceOf', alice.address), await token.call('balance_of', alice.address));
  });

  it('moves what its owner has, and for others what they are allowed', async () => {
    const [alice, bob, carol] = world.users;
    const [a, b, c] = await Promise.all(world.users.slice(0, 3).map(({ address }) => token.call('balance_of', address)));
    const receipt = await token.send(alice, 'transfer', bob.address, 10n);
    assert.deepEqual(events(receipt, token, 'Transfer'), [{ from: alice.address, to: bob.address, value: 10n }]);
    await refused(token.send(alice, 'transfer', bob.address, a), 'InsufficientBalance');
    await refused(token.send(alice, 'transfer', 0n, 1n), 'ZeroAddress');
    await refused(token.send(alice, 'approve', 0n, 1n), 'ZeroAddress');

    await token.send(alice, 'approve', carol.address, 25n);
    assert.equal(await token.call('allowance', alice.address, carol.address), 25n);
    await token.send(carol, 'transfer_from', alice.address, bob.address, 10n);
    await token.send(carol, 'transferFrom', alice.address, carol.address, 10n);
    assert.equal(await token.call('allowance', alice.address, carol.address), 5n);
    await refused(token.send(carol, 'transfer_from', alice.address, bob.address, 6n), 'InsufficientAllowance');
    await refused(token.send(bob, 'transfer_from', alice.address, bob.address, 1n), 'InsufficientAllowance');
    assert.deepEqual(
      await Promise.all(world.users.slice(0, 3).map(({ address }) => token.call('balance_of', address))),
      [a - 30n, b + 20n, c + 10n],
    );

    await token.send(alice, 'approve', carol.address, UNLIMITED);
    await token.send(carol, 'transfer_from', alice.address, carol.address, 10n);
    assert.equal(await token.call('allowance', alice.address, carol.address), UNLIMITED);
  });

  it('keeps supply, balances and allowances as a model does, whatever is done to it', async () => {
    const { below, pick, amount } = random('token');
    const people = world.users.slice(0, 4);
    const read = (account) => token.call('balance_of', account.address);
    const balances = new Map();
    for (const person of people) balances.set(person, await read(person));
    const allowances = new Map();
    const key = (owner, spender) => `${owner.address}/${spender.address}`;
    for (const owner of people) {
      for (const spender of people) {
        allowances.set(key(owner, spender), await token.call('allowance', owner.address, spender.address));
      }
    }
    const move = (from, to, value) => {
      if (value > balances.get(from)) return false;
      balances.set(from, balances.get(from) - value);
      if (to) balances.set(to, balances.get(to) + value);
      return true;
    };
    let supply = [...balances.values()].reduce((a, b) => a + b);
    assert.equal(await token.call('total_supply'), supply);

    const actions = {
      mint: async (person, _, value) => {
        await contracts.mint(person, value);
        balances.set(person, balances.get(person) + value);
        supply += value;
      },
      bridge: async (person, _, value) => {
        const done = token.send(person, 'bridge', 0n, 1n, value, 0n);
        if (!move(person, undefined, value)) return refused(done, 'InsufficientBalance');
        supply -= value;
        return done;
      },
      transfer: async (person, other, value) => {
        const done = token.send(person, 'transfer', other.address, value);
        if (!move(person, other, value)) return refused(done, 'InsufficientBalance');
        return done;
      },
      approve: async (person, other, value) => {
        await token.send(person, 'approve', other.address, value);
        allowances.set(key(person, other), value);
      },
      transfer_from: async (person, other, value) => {
        const owner = pick(people);
        const done = token.send(person, 'transfer_from', owner.address, other.address, value);
        const allowed = allowances.get(key(owner, person));
        if (value > allowed) return refused(done, 'InsufficientAllowance');
        if (!move(owner, other, value)) return refused(done, 'InsufficientBalance');
        if (allowed !== UNLIMITED) allowances.set(key(owner, person), allowed - value);
        return done;
      },
    };
    for (let step = 0; step < 150; step += 1) {
      const action = below(10) === 0 ? 'mint' : pick(['bridge', 'transfer', 'transfer', 'approve', 'transfer_from']);
      await actions[action](pick(people), pick(people), amount(20n * CIRO));
      if (step % 10 === 9) {
        assert.equal(await token.call('total_supply'), supply);
        for (const person of people) assert.equal(await read(person), balances.get(person));
        for (const owner of people) {
          for (const spender of people) {
            assert.equal(await token.call('allowance', owner.address, spender.address), allowances.get(key(owner, spender)));
          }
        }
      }
    }
  });
});
