// Stake behind workers: its rules by example, and its books against a model over random sequences.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KIND } from './support/ciro.mjs';
import { events } from './support/devnet.mjs';
import { random } from './support/random.mjs';
import { CIRO, DAY, TREASURY, World, refused } from './support/world.mjs';

const UNBONDING = 7 * DAY;
const MILLION = 1_000_000n;
const OPERATOR = 0x0be7a70en;

describe('the pool', { concurrency: false }, () => {
  let world;
  let contracts;
  let token;
  let pool;

  before(async () => {
    world = await World.start({ accounts: 12 });
  });
  after(() => world.stop());

  /** New contracts; everybody has tokens and lets the pool take them. */
  async function fresh() {
    contracts = await world.everything();
    ({ token, pool } = contracts);
    const messages = world.users.map(({ address }) =>
      contracts.message(token, KIND.MINT, address, 1000n * CIRO, 2n ** 63n, 1n),
    );
    await contracts.deliver(token, ...messages);
    for (const user of world.users) await token.send(user, 'approve', pool.address, 2n ** 256n - 1n);
  }

  const slash = (number, share, operator = OPERATOR) => contracts.message(pool, KIND.SLASH, number, operator, share);
  const stake = (staker, worker, amount) => pool.send(staker, 'stake_for_worker', worker.address, amount);
  const stakeOf = (worker) => pool.call('worker_stake', worker.address);
  const balance = ({ address }) => token.call('balance_of', address);

  it('takes stake from anyone for a registered worker, and pays it back after seven days', async () => {
    await fresh();
    const [worker, staker] = world.users;
    await refused(stake(staker, worker, 5n), 'UnknownWorker');
    await refused(pool.send(worker, 'register_worker', 0n), 'BadOperator');
    await pool.send(worker, 'register_worker', OPERATOR);
    await refused(pool.send(worker, 'register_worker', OPERATOR + 1n), 'AlreadyRegistered');
    assert.equal(await pool.call('operator', worker.address), OPERATOR);
    await refused(stake(staker, worker, 0n), 'BadAmount');
    await refused(stake(staker, worker, 2000n * CIRO), 'InsufficientBalance');

    await stake(staker, worker, 30n * CIRO);
    const receipt = await stake(worker, worker, 10n * CIRO);
    assert.deepEqual(events(receipt, pool, 'WorkerStaked'), [
      { worker_address: worker.address, amount: 10n * CIRO, total_stake: 40n * CIRO },
    ]);
    assert.equal(await pool.call('total_stake'), 40n * CIRO);
    assert.equal(await balance(pool), 40n * CIRO);

    await refused(pool.send(staker, 'unstake', worker.address, 31n * CIRO), 'BadAmount');
    await refused(pool.send(staker, 'unstake', worker.address, 0n), 'BadAmount');
    await refused(pool.send(staker, 'withdraw', worker.address), 'NothingToWithdraw');
    await pool.send(staker, 'unstake', worker.address, 20n * CIRO);
    assert.equal(await pool.call('active_stake', worker.address), 20n * CIRO);
    assert.equal(await stakeOf(worker), 40n * CIRO);
    await refused(pool.send(staker, 'withdraw', worker.address), 'TooEarly');
    await contracts.pass(UNBONDING - 3600);
    await refused(pool.send(staker, 'withdraw', worker.address), 'TooEarly');
    await contracts.pass(3600);
    const before = await balance(staker);
    await pool.send(staker, 'withdraw', worker.address);
    assert.equal(await balance(staker), before + 20n * CIRO);
    await refused(pool.send(staker, 'withdraw', worker.address), 'NothingToWithdraw');
    assert.equal(await stakeOf(worker), 20n * CIRO);
  });

  it('takes a slash from all who stake for the operator\'s workers, also from what is on its way out', async () => {
    await fresh();
    const [worker, second, bystander, staker, leaver] = world.users;
    await pool.send(worker, 'register_worker', OPERATOR);
    await pool.send(second, 'register_worker', OPERATOR);
    await pool.send(bystander, 'register_worker', OPERATOR + 1n);
    for (const each of [worker, second, bystander]) await stake(staker, each, 60n * CIRO);
    await stake(leaver, worker, 40n * CIRO);
    await pool.send(leaver, 'unstake', worker.address, 40n * CIRO);

    await contracts.deliver(pool, slash(1, 300_000), slash(2, 500_000, OPERATOR + 2n));
    assert.equal(await pool.call('active_stake', worker.address), 0n, 'until the case is applied');
    for (const each of [worker, second, bystander]) await pool.send(leaver, 'settle', each.address, 9);
    assert.equal(await stakeOf(worker), 70n * CIRO);
    assert.equal(await stakeOf(second), 42n * CIRO);
    assert.equal(await stakeOf(bystander), 60n * CIRO);
    assert.equal(await pool.call('active_stake', worker.address), 42n * CIRO);
    assert.equal(await pool.call('reputation', worker.address), 350n);
    assert.equal(await pool.call('reputation', bystander.address), 500n);
    const record = await pool.call('slash_record', worker.address);
    assert.deepEqual([record.cases, record.amount], [1n, 30n * CIRO]);

    await contracts.pass(UNBONDING);
    const before = await balance(leaver);
    await pool.send(leaver, 'withdraw', worker.address);
    assert.equal(await balance(leaver), before + 28n * CIRO);

    assert.equal(await pool.call('slashed'), 48n * CIRO);
    const receipt = await pool.send(bystander, 'remit');
    const [{ words }] = events(receipt, token, 'Sent');
    assert.deepEqual(words.slice(2), [KIND.BURN, 0n, TREASURY, 48n * CIRO, 0n]);
    assert.equal(await pool.call('slashed'), 0n);
    assert.equal(await balance(pool), await pool.call('total_stake'));
  });

  it('lets nobody leave before a slash that has arrived', async () => {
    await fresh();
    const [worker, staker] = world.users;
    await pool.send(worker, 'register_worker', OPERATOR);
    await stake(staker, worker, 50n * CIRO);
    await pool.send(staker, 'unstake', worker.address, 50n * CIRO);
    await contracts.pass(UNBONDING);
    await contracts.deliver(pool, slash(1, 500_000));
    const before = await balance(staker);
    await pool.send(staker, 'withdraw', worker.address);
    assert.equal(await balance(staker), before + 25n * CIRO);
  });

  it('applies each case once to a worker, and none that is older than its registration', async () => {
    await fresh();
    const [worker, late] = world.users;
    await pool.send(worker, 'register_worker', OPERATOR);
    await stake(worker, worker, 100n * CIRO);
    await contracts.deliver(pool, slash(7, 500_000), slash(7, 500_000), slash(8, 100_000));
    await contracts.deliver(pool, slash(7, 500_000));
    await pool.send(late, 'register_worker', OPERATOR);
    await stake(late, late, 100n * CIRO);
    await pool.send(late, 'settle', worker.address, 1);
    assert.equal(await stakeOf(worker), 50n * CIRO);
    assert.equal(await pool.call('active_stake', worker.address), 0n);
    await pool.send(late, 'settle', worker.address, 1);
    assert.equal(await stakeOf(worker), 45n * CIRO);
    await pool.send(late, 'settle', worker.address, 1);
    assert.equal(await stakeOf(worker), 45n * CIRO);
    assert.equal(await stakeOf(late), 100n * CIRO);
    await refused(contracts.deliver(pool, slash(9, 1_000_001)), 'ValueOutOfRange');
    await refused(contracts.deliver(pool, slash(1n << 64n, 1)), 'ValueOutOfRange');
    await refused(contracts.deliver(pool, slash(9, 1n << 32n)), 'ValueOutOfRange');
  });

  it('takes no stake for a worker that lost everything', async () => {
    await fresh();
    const [worker, staker] = world.users;
    await pool.send(worker, 'register_worker', OPERATOR);
    await stake(staker, worker, 50n * CIRO);
    await contracts.deliver(pool, slash(1, 1_000_000));
    await refused(stake(staker, worker, 50n * CIRO), 'WipedOut');
    await pool.send(staker, 'unstake', worker.address, 50n * CIRO);
    await contracts.pass(UNBONDING);
    await pool.send(staker, 'withdraw', worker.address);
    assert.equal(await pool.call('slashed'), 50n * CIRO);
    assert.equal(await pool.call('reputation', worker.address), 0n);
  });

  it('accounts for every planck as a model does, whatever is done to it', async () => {
    await fresh();
    const { below, pick, amount } = random('pool');
    const workers = world.users.slice(0, 3);
    const stakers = world.users.slice(3, 7);
    const operators = [OPERATOR, OPERATOR, OPERATOR + 1n];
    const model = workers.map((worker, index) => ({
      worker,
      operator: operators[index],
      stake: 0n,
      shares: 0n,
      held: new Map(stakers.map((staker) => [staker, 0n])),
      leaving: new Map(stakers.map((staker) => [staker, { shares: 0n, ready: 0 }])),
      open: [],
    }));
    for (const { worker, operator } of model) await pool.send(worker, 'register_worker', operator);
    let slashed = 0n;
    let cases = 0;
    const settle = (entry) => {
      for (const share of entry.open.splice(0)) {
        const taken = (entry.stake * share) / MILLION;
        entry.stake -= taken;
        slashed += taken;
      }
    };

    const actions = {
      stake: async (entry, staker) => {
        const value = amount(40n * CIRO);
        const done = stake(staker, entry.worker, value);
        const worth = model.indexOf(entry);
        const copy = { ...entry, open: [...entry.open] };
        if (copy.shares > 0n && afterCases(copy) === 0n) return refused(done, 'WipedOut');
        const shares = copy.shares === 0n ? value : (value * copy.shares) / afterCases(copy);
        if (shares === 0n) return refused(done, 'BadAmount');
        await done;
        settle(model[worth]);
        entry.stake += value;
        entry.shares += shares;
        entry.held.set(staker, entry.held.get(staker) + shares);
      },
      unstake: async (entry, staker) => {
        const held = entry.held.get(staker);
        const shares = below(4) === 0 ? held : held / BigInt(1 + below(5));
        const receipt = pool.send(staker, 'unstake', entry.worker.address, shares);
        if (shares === 0n) return refused(receipt, 'BadAmount');
        const [{ ready }] = events(await receipt, pool, 'UnbondingStarted');
        settle(entry);
        entry.held.set(staker, held - shares);
        entry.leaving.set(staker, { shares: entry.leaving.get(staker).shares + shares, ready: Number(ready) });
      },
      withdraw: async (entry, staker) => {
        const { shares, ready } = entry.leaving.get(staker);
        const before = await balance(staker);
        const due = (await world.devnet.now()) + 60 >= ready;
        const done = pool.send(staker, 'withdraw', entry.worker.address);
        if (shares === 0n) return refused(done, 'NothingToWithdraw');
        if (!due) return refused(done, 'TooEarly');
        await done;
        settle(entry);
        const paid = (entry.stake * shares) / entry.shares;
        entry.stake -= paid;
        entry.shares -= shares;
        entry.leaving.set(staker, { shares: 0n, ready: 0 });
        assert.equal(await balance(staker), before + paid);
      },
      slash: async ({ operator }) => {
        const share = BigInt(pick([50_000, 300_000, 500_000, 999_999]));
        await contracts.deliver(pool, slash((cases += 1), share, operator));
        for (const entry of model) if (entry.operator === operator) entry.open.push(share);
      },
      settle: async (entry) => {
        await pool.send(world.governor, 'settle', entry.worker.address, 100);
        settle(entry);
      },
      remit: async () => {
        if (slashed === 0n) return refused(pool.send(world.governor, 'remit'), 'BadAmount');
        await pool.send(world.governor, 'remit');
        slashed = 0n;
      },
      wait: () => contracts.pass(4 * DAY),
    };
    const afterCases = ({ stake: whole, open }) => open.reduce((left, share) => left - (left * share) / MILLION, whole);
    const often = ['stake', 'stake', 'stake', 'unstake', 'unstake', 'withdraw', 'withdraw', 'settle'];
    for (let step = 0; step < 150; step += 1) {
      const action = below(8) === 0 ? pick(['slash', 'remit', 'wait']) : pick(often);
      await actions[action](pick(model), pick(stakers));
      if (step % 10 < 9) continue;
      let total = 0n;
      for (const { worker, stake: whole, shares, held, leaving } of model) {
        total += whole;
        assert.equal(await stakeOf(worker), whole);
        let sum = 0n;
        for (const staker of stakers) {
          const [own, all] = Object.values(await pool.call('shares', worker.address, staker.address));
          const unbonding = await pool.call('unbonding', worker.address, staker.address);
          assert.deepEqual([own, all, unbonding.shares], [held.get(staker), shares, leaving.get(staker).shares]);
          sum += own + unbonding.shares;
        }
        assert.equal(sum, shares);
      }
      assert.equal(await pool.call('total_stake'), total);
      assert.equal(await pool.call('slashed'), slashed);
      assert.equal(await balance(pool), total + slashed);
    }
  });
});
