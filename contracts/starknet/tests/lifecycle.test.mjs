// A job's whole way on Starknet: tokens come from Ciro, stake stands behind a worker, the job is paid for, claimed, answered
// by a proven result, and what was earned goes home; an offence on Ciro costs stake here.

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { KIND } from './support/ciro.mjs';
import { events } from './support/devnet.mjs';
import { CIRO, DAY, TREASURY, World } from './support/world.mjs';

const OPERATOR = 0x0be7a70en;
const [MODEL, INPUT, OUTPUT] = [0xa11n << 240n, 0xb22n << 240n, 0xc33n << 240n];

let world;
before(async () => {
  world = await World.start();
});
after(() => world.stop());

it('a job is staked for, paid for, claimed, answered and paid out, an offender slashed, and no token lost', async () => {
  const [requester, worker, staker] = world.users;
  const contracts = await world.everything();
  const { token, pool, manager, registry } = contracts;
  /** What Ciro has locked for Starknet. */
  let abroad = 0n;
  const supplyHolds = async () => {
    assert.equal(await token.call('total_supply'), abroad);
    const holders = [requester, worker, staker, pool, manager];
    const held = await Promise.all(holders.map(({ address }) => token.call('balance_of', address)));
    assert.equal(held.reduce((a, b) => a + b), abroad);
  };

  for (const [who, amount] of [[requester, 100n * CIRO], [staker, 50n * CIRO]]) {
    await contracts.mint(who, amount);
    abroad += amount;
  }
  await supplyHolds();

  await pool.send(worker, 'register_worker', OPERATOR);
  await token.send(staker, 'approve', pool.address, 40n * CIRO);
  await pool.send(staker, 'stake_for_worker', worker.address, 40n * CIRO);

  await token.send(requester, 'approve', manager.address, 30n * CIRO);
  const spec = { gpu: true, memory: 16_384, gflops: 80_000, duration: DAY, max_payment: 30n * CIRO };
  const submitted = await manager.send(requester, 'submit_job', MODEL, INPUT, spec);
  const [{ job_id: id }] = events(submitted, manager, 'JobSubmitted');
  await manager.send(worker, 'claim_job', id);
  await supplyHolds();

  const answer = contracts.message(manager, KIND.REMOTE_RESULT, id, MODEL, INPUT, OUTPUT, worker.address);
  await contracts.deliver(manager, answer);
  assert.equal(await token.call('balance_of', worker.address), 30n * CIRO);
  assert.equal((await manager.call('job', id)).progress.status.activeVariant(), 'Completed');
  assert.equal(await manager.call('total_escrow'), 0n);
  await supplyHolds();

  const result = { model: MODEL, input_commitment: INPUT, output_hash: OUTPUT };
  const { number, by } = await contracts.finalise({ results: [{ job: 5, ...result }] });
  await registry.send(world.governor, 'record', by, contracts.ciro.leaf(number, by), [contracts.ciro.result(number)]);
  assert.equal(await registry.call('is_proven', 5, result), true);

  await contracts.deliver(pool, contracts.message(pool, KIND.SLASH, 1, OPERATOR, 500_000));
  await pool.send(staker, 'unstake', worker.address, 40n * CIRO);
  assert.equal(await pool.call('slashed'), 20n * CIRO);
  const [{ words: slashed }] = events(await pool.send(worker, 'remit'), token, 'Sent');
  assert.deepEqual(slashed.slice(2, 6), [KIND.BURN, 0n, TREASURY, 20n * CIRO]);
  abroad -= 20n * CIRO;
  await supplyHolds();

  await contracts.pass(7 * DAY);
  await pool.send(staker, 'withdraw', worker.address);
  assert.equal(await token.call('balance_of', staker.address), 30n * CIRO);
  const [{ words: home }] = events(await token.send(worker, 'bridge', 0n, 0xc1n, 30n * CIRO, 0n), token, 'Sent');
  assert.deepEqual(home, [contracts.lane(token), 1n, KIND.BURN, 0n, 0xc1n, 30n * CIRO, 0n]);
  abroad -= 30n * CIRO;
  await supplyHolds();
});
