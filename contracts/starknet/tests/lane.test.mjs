// Messages: every rule of a lane by what it refuses, and what token and registry do with what they take.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KIND, laneOf } from './support/ciro.mjs';
import { CIRO, World, refused } from './support/world.mjs';
import { events } from './support/devnet.mjs';

const NEVER = 2n ** 63n;
const REFUND = 0xabcn;

describe('a lane', { concurrency: false }, () => {
  let world;
  let ciro;
  let contracts;
  let token;
  let alice;
  let bob;

  before(async () => {
    world = await World.start();
    [alice, bob] = world.users;
    contracts = await world.everything();
    ({ ciro, token } = contracts);
  });
  after(() => world.stop());

  const mint = (recipient, amount, expiry = NEVER) =>
    contracts.message(token, KIND.MINT, recipient, amount, expiry, REFUND);
  const deliver = (...args) => token.send(contracts.relayer, 'deliver', ...args);
  const balance = (account) => token.call('balance_of', account.address);
  /** Delivers a block's messages after a change of the first. */
  const deliverChanged = ({ number, by }, change) => {
    const [block, proven, [first, ...rest]] = contracts.deliverArgs(number, by);
    return deliver(block, proven, [{ ...first, ...change(first) }, ...rest]);
  };

  it('certifies itself by genesis, chain and address', async () => {
    for (const contract of [token, contracts.registry, contracts.pool, contracts.manager]) {
      assert.equal(await contract.call('lane'), contracts.lane(contract));
    }
  });

  it('takes messages in any order, several at once, each once', async () => {
    const before = await balance(alice);
    const messages = [1n, 2n, 4n, 8n, 16n].map((amount) => mint(alice.address, amount));
    const { number, by } = await contracts.finalise({ messages });
    await deliver(...contracts.deliverArgs(number, by, [4, 1]));
    assert.equal(await balance(alice), before + 18n);
    await refused(deliver(...contracts.deliverArgs(number, by, [1])), 'NonceTaken');
    await refused(deliver(...contracts.deliverArgs(number, by, [0, 1])), 'NonceTaken');
    await refused(deliver(...contracts.deliverArgs(number, by, [3, 3])), 'NonceTaken');
    await deliver(...contracts.deliverArgs(number, by, [3, 2, 0]));
    assert.equal(await balance(alice), before + 31n);
    assert.equal(await token.call('is_taken', messages[0][1]), true);
    assert.equal(await token.call('is_taken', 99), false);
  });

  it('takes the same nonce once even if a later block has it again', async () => {
    const message = mint(alice.address, 5n);
    await contracts.deliver(token, message);
    await refused(contracts.deliver(token, message), 'NonceTaken');
  });

  it('refuses messages of other lanes: of another contract, chain or genesis', async () => {
    const [, nonce, ...rest] = mint(alice.address, 5n);
    const { chainId } = world.devnet;
    for (const lane of [
      contracts.lane(contracts.registry),
      laneOf(chainId + 1n, token.address),
      laneOf(chainId, token.address, 1n),
      0n,
    ]) {
      await refused(contracts.deliver(token, [lane, nonce, ...rest]), 'WrongLane');
    }
  });

  it('refuses kinds that it does not know, and other numbers of words', async () => {
    const [lane, nonce, kind, ...rest] = mint(alice.address, 5n);
    await refused(contracts.deliver(token, [lane, nonce, KIND.RESULT, ...rest]), 'UnknownKind');
    await refused(contracts.deliver(token, [lane, nonce, kind + (1n << 64n), ...rest]), 'UnknownKind');
    await refused(contracts.deliver(token, [lane, nonce, kind, ...rest, 0n]), 'WrongWordCount');
    await refused(contracts.deliver(token, [lane, nonce, kind, ...rest.slice(1)]), 'WrongWordCount');
  });

  it('refuses numbers that are larger than what they count', async () => {
    const [lane, nonce, kind, recipient, amount, expiry, refund] = mint(alice.address, 5n);
    const message = (change) =>
      Object.values({ lane, nonce, kind, recipient, amount, expiry, refund, ...change });
    await refused(contracts.deliver(token, message({ nonce: 1n << 64n })), 'ValueOutOfRange');
    await refused(contracts.deliver(token, message({ amount: 1n << 128n })), 'ValueOutOfRange');
    await refused(contracts.deliver(token, message({ expiry: 1n << 64n })), 'ValueOutOfRange');
  });

  it('refuses paths that are too short, too long, or of another index', async () => {
    const block = await contracts.finalise({ messages: [1n, 2n, 3n].map((n) => mint(bob.address, n)) });
    await refused(deliverChanged(block, () => ({ path: [] })), 'WrongPathLength');
    await refused(deliverChanged(block, ({ path }) => ({ path: path.slice(1) })), 'WrongPathLength');
    await refused(deliverChanged(block, ({ path }) => ({ path: [...path, 0n] })), 'WrongPathLength');
    await refused(deliverChanged(block, () => ({ index: 3 })), 'IndexOutOfRange');
    await refused(deliverChanged(block, () => ({ count: 0 })), 'IndexOutOfRange');
    await refused(deliverChanged(block, () => ({ index: 1 })), 'WrongPath');
    await refused(deliverChanged(block, ({ words }) => ({ words: words.with(4, 1000n) })), 'WrongPath');
    const [by, proven, [, , last]] = contracts.deliverArgs(block.number, block.by);
    assert.equal(last.path.length, 1, 'the last of three goes up unchanged once');
    await refused(deliver(by, proven, [{ ...last, index: 1 }]), 'WrongPathLength');
    await deliver(...contracts.deliverArgs(block.number, block.by, [0, 1, 2]));
  });

  it('refuses a node of the tree in the place of a message', async () => {
    const block = await contracts.finalise({ messages: [1n, 2n, 3n].map((n) => mint(bob.address, n)) });
    await refused(
      deliverChanged(block, ({ path }) => ({ words: path, index: 0, count: 2, path: path.slice(1) })),
      'WrongWordCount',
    );
  });

  it('refuses messages of another leaf, and of a block without messages', async () => {
    const messages = [mint(bob.address, 7n)];
    const { number, by } = await contracts.finalise({ messages });
    const [, , items] = contracts.deliverArgs(number, by);
    await refused(deliver(by, ciro.leaf(number - 1, by), items), 'WrongPath');
    const { leaf, proof } = ciro.leaf(number, by);
    await refused(
      deliver(by, { leaf: { ...leaf, messages_root: 0n }, proof }, items),
      'WrongLeafProof',
    );
    await deliver(by, ciro.leaf(number, by), items);
  });

  it('mints until the expiry\'s last second, and sends the tokens back after it', async () => {
    const expiry = BigInt(await world.devnet.now()) + 1000n;
    const onTime = mint(bob.address, 3n, expiry);
    const late = mint(bob.address, 5n, expiry);
    const { number, by } = await contracts.finalise({ messages: [onTime, late] });
    const before = await balance(bob);
    await world.devnet.setTime(expiry - 1n);
    await deliver(...contracts.deliverArgs(number, by, [0]));
    assert.equal(await balance(bob), before + 3n);
    await world.devnet.setTime(expiry + 1n);
    const supply = await token.call('total_supply');
    const receipt = await deliver(...contracts.deliverArgs(number, by, [1]));
    assert.equal(await balance(bob), before + 3n);
    assert.equal(await token.call('total_supply'), supply);
    const [sent] = events(receipt, token, 'Sent');
    assert.deepEqual(sent.words, [contracts.lane(token), sent.nonce, KIND.RETURN, late[1], 5n, REFUND]);
    assert.equal(await token.call('is_taken', late[1]), true);
    await refused(deliver(...contracts.deliverArgs(number, by, [1])), 'NonceTaken');
  });

  it('mints to no recipient that is none, and gives those tokens back once expired', async () => {
    const expiry = BigInt(await world.devnet.now()) + 1000n;
    for (const recipient of [0n, 2n ** 252n, 2n ** 256n - 1n]) {
      const { number, by } = await contracts.finalise({ messages: [mint(recipient, 3n, expiry)] });
      await refused(deliver(...contracts.deliverArgs(number, by)), 'BadRecipient');
    }
    const { number, by } = await contracts.finalise({ messages: [mint(0n, 3n, expiry)] });
    await world.devnet.setTime(expiry + 1n);
    const receipt = await deliver(...contracts.deliverArgs(number, by));
    assert.equal(events(receipt, token, 'Sent').length, 1);
  });

  it('burns to send, and says where to in numbered messages', async () => {
    await contracts.mint(alice, 10n * CIRO);
    const supply = await token.call('total_supply');
    const next = await token.call('sent');
    const sends = [
      [0n, 0xc1n, 3n * CIRO, 0n],
      [0x1234n, 0xe1n, 2n * CIRO, REFUND],
    ];
    for (const [index, args] of sends.entries()) {
      const receipt = await token.send(alice, 'bridge', ...args);
      const [{ nonce, words }] = events(receipt, token, 'Sent');
      assert.equal(nonce, next + BigInt(index));
      assert.deepEqual(words, [contracts.lane(token), nonce, KIND.BURN, ...args]);
    }
    assert.equal(await token.call('total_supply'), supply - 5n * CIRO);
    await refused(token.send(alice, 'bridge', 1n, 1n, 1n, 0n), 'BadRefund');
    await refused(token.send(alice, 'bridge', 0n, 0n, 1n, 0n), 'BadRecipient');
    await refused(token.send(alice, 'bridge', 0n, 1n, 0n, 0n), 'BadAmount');
    await refused(token.send(alice, 'bridge', 0n, 1n, 1n << 128n, 0n), 'BadAmount');
    await refused(token.send(alice, 'bridge', 0n, 1n, 100n * CIRO, 0n), 'InsufficientBalance');
  });

  it('notes results that came as messages or as leaves, once', async () => {
    const { registry } = contracts;
    const result = (seed) => ({ model: seed, input_commitment: seed + 1n, output_hash: seed + 2n });
    const asMessage = (job, { model, input_commitment, output_hash }) =>
      contracts.message(registry, KIND.RESULT, job, model, input_commitment, output_hash);
    const results = [7, 8, 9].map((job) => ({ job, ...result(BigInt(job) << 200n) }));
    const messages = [asMessage(10, result(10n)), asMessage(7, result(7n << 200n))];
    const block = await contracts.finalise({ results, messages });
    const proven = ciro.leaf(block.number, block.by);
    const record = (...items) => registry.send(contracts.relayer, 'record', block.by, proven, items);
    await record(ciro.result(block.number, 0), ciro.result(block.number, 2));
    assert.equal(await registry.call('is_proven', 7, result(7n << 200n)), true);
    assert.equal(await registry.call('is_proven', 7, { ...result(7n << 200n), output_hash: 1n }), false);
    assert.equal(await registry.call('has_result', 7), true);
    assert.equal(await registry.call('has_result', 8), false);
    await record(ciro.result(block.number, 0), ciro.result(block.number, 1));
    const altered = ciro.result(block.number, 1);
    await refused(record({ ...altered, result: { ...altered.result, output_hash: 1n } }), 'WrongPath');
    await refused(record({ ...altered, path: altered.path.slice(1) }), 'WrongPathLength');
    await registry.send(contracts.relayer, 'deliver', ...contracts.deliverArgs(block.number, block.by));
    assert.equal(await registry.call('is_proven', 10, result(10n)), true);
    await refused(contracts.deliver(registry, asMessage(7, result(1n))), 'ResultConflict');
    await refused(contracts.deliver(registry, asMessage(1n << 64n, result(1n))), 'ValueOutOfRange');
  });

  it('is closed while the client is halted', async () => {
    const { number, by } = await contracts.finalise({ messages: [mint(alice.address, 1n)] });
    await contracts.client.send(world.guardian, 'halt');
    await refused(deliver(...contracts.deliverArgs(number, by)), 'Halted');
  });
});
