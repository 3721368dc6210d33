// What the contracts cost, in L2 gas, written to target/costs.json; and that the largest set of validators fits into one
// transaction.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { Ciro, KIND } from './support/ciro.mjs';
import { CIRO, DAY, World, updateArgs } from './support/world.mjs';

/** The network's limit of a transaction. */
const LIMIT = 1_110_000_000;
/** How many of a kind a batch has. */
const BATCH = 10;

const costs = { limit: LIMIT, unit: 'L2 gas' };
let world;
before(async () => {
  world = await World.start();
});
after(async () => {
  await world.stop();
  writeFileSync(new URL('../target/costs.json', import.meta.url), `${JSON.stringify(costs, null, 2)}\n`);
});

const gas = ({ execution_resources: { l2_gas } }) => l2_gas;
/** What one costs alone and in a batch, and how much of it the batch saves. */
const compare = (single, batch) => {
  const batched = batch / BATCH;
  return { single, batched, savings: Number((1 - batched / single).toFixed(3)) };
};

it('an update by 64 validators takes less than half of what a transaction may use', async () => {
  costs.updates = {};
  for (const size of [4, 21, 64]) {
    const ciro = new Ciro({ size: () => size });
    ciro.grow(25);
    const client = await world.client(ciro);
    const submit = async (block) => gas(await client.send(world.governor, 'submit', ...updateArgs(ciro.update(block))));
    const signatures = size - Math.floor((size - 1) / 3);
    costs.updates[size] = { signatures, update: await submit(5), handover: await submit(10) };
  }
  assert.ok(costs.updates[64].handover < LIMIT / 2);
});

it('batches cost less for each than one at a time', async () => {
  const [requester, worker] = world.users;
  const contracts = await world.everything();
  const { token, registry, pool, manager, relayer, ciro } = contracts;
  await contracts.mint(requester, 1000n * CIRO);
  await token.send(requester, 'approve', manager.address, 1000n * CIRO);
  await token.send(requester, 'approve', pool.address, 1000n * CIRO);
  await pool.send(worker, 'register_worker', 1n);
  await pool.send(requester, 'stake_for_worker', worker.address, CIRO);

  const spec = { gpu: true, memory: 16_384, gflops: 80_000, duration: DAY, max_payment: CIRO };
  const job = { 0: 7n << 200n, 1: 8n << 200n, 2: spec };
  await manager.send(requester, 'submit_job', ...Object.values(job));
  costs.submission = compare(
    gas(await manager.send(requester, 'submit_job', ...Object.values(job))),
    gas(await manager.send(requester, 'batch_submit_jobs', Array(BATCH).fill(job))),
  );

  /** Delivers messages one at a time and as a batch. */
  const deliveries = async (contract, message) => {
    const messages = Array.from({ length: BATCH + 2 }, (_, index) => message(index));
    const { number, by } = await contracts.finalise({ messages });
    const deliver = async (...indices) =>
      gas(await contract.send(relayer, 'deliver', ...contracts.deliverArgs(number, by, indices)));
    await deliver(0);
    return compare(await deliver(1), await deliver(...Array.from({ length: BATCH }, (_, index) => index + 2)));
  };
  costs.reward = await deliveries(manager, (index) =>
    contracts.message(manager, KIND.REMOTE_RESULT, index + 1, job[0], job[1], 9n, worker.address),
  );
  costs.slash = await deliveries(pool, (index) => contracts.message(pool, KIND.SLASH, index, 1n, 1000));
  costs.mint = await deliveries(token, () =>
    contracts.message(token, KIND.MINT, worker.address, CIRO, 2n ** 63n, 1n),
  );
  costs.settle = gas(await pool.send(relayer, 'settle', worker.address, 1));

  const results = Array.from({ length: BATCH + 2 }, (_, index) => ({
    job: index,
    model: 7n << 200n,
    input_commitment: 8n << 200n,
    output_hash: 9n << 200n,
  }));
  const { number, by } = await contracts.finalise({ results });
  const record = async (...indices) => {
    const items = indices.map((index) => ciro.result(number, index));
    return gas(await registry.send(relayer, 'record', by, ciro.leaf(number, by), items));
  };
  await record(0);
  costs.result = compare(await record(1), await record(...Array.from({ length: BATCH }, (_, index) => index + 2)));
  for (const name of ['submission', 'reward', 'slash', 'mint', 'result']) assert.ok(costs[name].savings > 0, name);
});
