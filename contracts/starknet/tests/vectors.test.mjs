// The vectors that all contracts of the bridge are held to, which Ciro's own runtime has made.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1';
import { commitmentHash, laneOf, leafBytes } from './support/ciro.mjs';
import { Deployed, send } from './support/devnet.mjs';
import { withSeats } from './support/seats.mjs';
import { be, keccak } from './support/words.mjs';
import { DELAY, TREASURY, World, refused, updateArgs } from './support/world.mjs';

const read = (name) => JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'));
const bytes = (hex) => Buffer.from(hex.slice(2), 'hex');
const numbers = (hexes) => hexes.map(BigInt);

// The vectors' objects in the form that the contracts take.
const setOf = ({ id, length, root }) => ({ id, length, root: BigInt(root) });
const leafOf = (leaf) => ({
  parent_number: leaf.parentNumber,
  parent_hash: BigInt(leaf.parentHash),
  next_set: setOf(leaf.nextSet),
  time: leaf.timestamp,
  messages_root: BigInt(leaf.messagesRoot),
  results_root: BigInt(leaf.resultsRoot),
});
const provenOf = ({ leaf, items }) => ({ leaf: leafOf(leaf), proof: numbers(items) });
const messageOf = ({ words, index, count, items }) => ({ words: numbers(words), index, count, path: numbers(items) });
const resultOf = ({ job, model, inputCommitment, outputHash, index, count, items }) => ({
  job,
  result: { model: BigInt(model), input_commitment: BigInt(inputCommitment), output_hash: BigInt(outputHash) },
  index,
  count,
  path: numbers(items),
});
const updateOf = ({ addresses, block, handover, items, leaf, root, set, signatures, signers }) => {
  const commitment = { root: BigInt(root), block, set };
  return {
    commitment,
    validators: numbers(addresses),
    signers: BigInt(signers),
    signatures: signatures.map((signature) => withKey(commitmentHash(commitment), signature)),
    handover: handover ? provenOf({ leaf, items }) : undefined,
  };
};

/** A signature with the key that made it, as a relayer finds it; with none if it is nobody's. */
function withKey(hash, { r, s, parity }) {
  const signature = { r: BigInt(r), s: BigInt(s), y_parity: Boolean(parity) };
  try {
    const { x, y } = new secp256k1.Signature(signature.r, signature.s)
      .addRecoveryBit(Number(parity))
      .recoverPublicKey(be(hash))
      .toAffine();
    return { ...signature, key_x: x, key_y: y };
  } catch {
    return { ...signature, key_x: 0n, key_y: 0n };
  }
}

/** The items of a list by a key of theirs. */
function group(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

describe('the vectors', { concurrency: false }, () => {
  let world;
  let devnet;

  before(async () => {
    world = await World.start();
    ({ devnet } = world);
  });
  after(() => world.stop());

  const deploy = async ({ current, expiry, genesis, next, time }) =>
    devnet.deploy('BeefyClient', {
      genesis_hash: BigInt(genesis),
      current_set: setOf(current),
      next_set: setOf(next),
      handover_time: time,
      expiry,
      governor: world.governor.address,
      delay: DELAY,
      guardian: world.guardian.address,
    });
  const submit = async (client, { now, update }) => {
    await devnet.setTime(now);
    return client.send(world.governor, 'submit', ...updateArgs(updateOf(update)));
  };
  /** A client in the state that a vector describes. */
  const prepare = async ({ client, before = [], halted = false }) => {
    const deployed = await deploy(client);
    for (const step of before) await submit(deployed, step);
    if (halted) await deployed.send(world.guardian, 'halt');
    return deployed;
  };
  const token = (client) =>
    devnet.deploy('CiroToken', { client: client.address, governor: world.governor.address, delay: DELAY });

  it('are read as the tests\' own chain writes', () => {
    const { commitments, lanes, leaves } = read('encodings');
    for (const { root, block, set, hash } of commitments) {
      assert.equal(commitmentHash({ root: BigInt(root), block, set }), BigInt(hash));
    }
    for (const { leaf, encoded, hash } of leaves) {
      assert.deepEqual(Buffer.from(leafBytes(leafOf(leaf))), bytes(encoded));
      assert.equal(keccak(bytes(encoded)), BigInt(hash));
    }
    for (const { genesis, lane, to } of lanes.filter(({ to }) => to.kind === 'starknet')) {
      assert.equal(laneOf(BigInt(to.chainId), BigInt(to.contract), BigInt(genesis)), BigInt(lane));
    }
  });

  it('prove every leaf of trees of every shape', async () => {
    const probe = await devnet.deploy('Probe', []);
    for (const [name, method] of [['merkle', 'check_path'], ['mmr', 'check_mountain']]) {
      const { cases } = read(name);
      for (const { root, leaf, index, count, items } of cases) {
        const hash = keccak(bytes(leaf));
        await probe.call(method, BigInt(root), hash, index, count, numbers(items));
        await assert.rejects(probe.call(method, BigInt(root), hash + 1n, index, count, numbers(items)));
      }
    }
  });

  for (const scenario of read('handovers').scenarios) {
    it(`take a client through its hand-overs: ${scenario.name}`, async () => {
      const client = await deploy(scenario.client);
      for (const step of scenario.steps) await submit(client, step);
      const [current, next] = Object.values(await client.call('validator_sets'));
      for (const [set, expected] of [[current, scenario.current], [next, scenario.next]]) {
        assert.deepEqual([Number(set.id), Number(set.length), set.root], Object.values(setOf(expected)));
      }
      assert.equal(await client.call('newest_block'), BigInt(scenario.newestBlock));
      assert.equal(await client.call('handover_time'), BigInt(scenario.handoverTime));
    });
  }

  const cases = read('negative').cases;
  for (const vector of cases.filter(({ call }) => call !== 'deliver')) {
    it(`${vector.name}: ${vector.error}`, async () => {
      const { arguments: args, call, client, error } = vector;
      if (call === 'deploy') return refused(deploy(client), error);
      const prepared = await prepare(vector);
      if (call === 'submit') return refused(submit(prepared, args), error);
      const { block } = args.proof;
      if (call === 'proveLeaf') {
        return refused(prepared.send(world.governor, 'check_leaf', block, provenOf(args.proof)), error);
      }
      assert.equal(call, 'proveResult');
      const registry = await devnet.deploy('ResultRegistry', {
        client: prepared.address,
        governor: world.governor.address,
        delay: DELAY,
      });
      return refused(
        registry.send(world.governor, 'record', block, provenOf(args.proof), [resultOf(args.result)]),
        error,
      );
    });
  }

  const deliveries = cases.filter(({ call, arguments: args }) => call === 'deliver' && args.to.kind === 'starknet');
  const scene = ({ before, client, halted, arguments: { earlier, kinds, to } }) =>
    JSON.stringify({ before, client, halted, earlier, kinds, to });
  for (const [, vectors] of group(deliveries, scene)) {
    it(`refuse messages: ${vectors.map(({ name, error }) => `${name}: ${error}`).join('; ')}`, async () => {
      const [{ arguments: { earlier, kinds, to, proof } }] = vectors;
      assert.deepEqual(kinds, [1]);
      assert.equal(devnet.chainId, BigInt(to.chainId));
      const contract = await token(await prepare(vectors[0]));
      await withSeats(devnet, new Map([[BigInt(to.contract), contract.address]]), async (fork) => {
        const seated = new Deployed(fork, BigInt(to.contract), contract.abi);
        const [relayer] = fork.accounts;
        const deliver = ({ block, ...leaf }, messages) =>
          seated.send(relayer, 'deliver', block, provenOf(leaf), messages.map(messageOf));
        if (earlier.length) await deliver(proof, earlier);
        for (const { arguments: args, error } of vectors) await refused(deliver(args.proof, args.messages), error);
      });
    });
  }

  it('are carried out by each contract in its own lane', async () => {
    const { client: genesis, deliveries, proof, results, steps } = read('messages');
    const client = await prepare({ client: genesis, before: steps });
    const common = { client: client.address, governor: world.governor.address, delay: DELAY };
    const ciro = await token(client);
    const registry = await devnet.deploy('ResultRegistry', common);
    const pool = await devnet.deploy('CDCPool', { ...common, token: ciro.address, treasury: TREASURY });
    await registry.send(world.governor, 'record', proof.block, provenOf(proof), results.map(resultOf));
    for (const { job, result } of results.map(resultOf)) {
      assert.equal(await registry.call('is_proven', job, result), true);
    }

    const contracts = new Map([[1, ciro], [2, registry], [4, pool]]);
    const here = deliveries.filter(({ to, kinds }) => to.kind === 'starknet' && contracts.has(kinds[0]));
    assert.equal(here.length, 3);
    const seats = new Map(here.map(({ to, kinds }) => [BigInt(to.contract), contracts.get(kinds[0]).address]));
    await withSeats(devnet, seats, async (fork) => {
      for (const { kinds, lane, messages, to } of here) {
        const seated = new Deployed(fork, BigInt(to.contract), contracts.get(kinds[0]).abi);
        assert.equal(await seated.call('lane'), BigInt(lane));
        const deliver = seated.encode('deliver', proof.block, provenOf(proof), messages.map(messageOf));
        await send(fork.accounts[0], [deliver]);
        for (const { words } of messages) assert.equal(await seated.call('is_taken', BigInt(words[1])), true);
      }
    });
  });
});
