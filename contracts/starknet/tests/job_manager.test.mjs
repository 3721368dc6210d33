// The market's entry: its rules by example, and its books against a model over random sequences.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { KIND } from './support/ciro.mjs';
import { events } from './support/devnet.mjs';
import { random } from './support/random.mjs';
import { CIRO, DAY, World, refused } from './support/world.mjs';

const HOUR = 3600;
const MODEL = 0xa11n << 240n;
const INPUT = 0xb22n << 240n;
const OUTPUT = 0xc33n << 240n;

const spec = (max_payment = 10n * CIRO, duration = DAY) => ({
  gpu: true,
  memory: 16_384,
  gflops: 80_000,
  duration,
  max_payment,
});

describe('the job manager', { concurrency: false }, () => {
  let world;
  let contracts;
  let token;
  let pool;
  let manager;
  let requester;
  let worker;
  let rival;

  before(async () => {
    world = await World.start({ accounts: 8 });
    [requester, worker, rival] = world.users;
  });
  after(() => world.stop());
  beforeEach(async () => {
    contracts = await world.everything();
    ({ token, pool, manager } = contracts);
    const messages = world.users.map(({ address }) =>
      contracts.message(token, KIND.MINT, address, 1000n * CIRO, 2n ** 63n, 1n),
    );
    await contracts.deliver(token, ...messages);
    for (const user of world.users) {
      await token.send(user, 'approve', pool.address, 2n ** 256n - 1n);
      await token.send(user, 'approve', manager.address, 2n ** 256n - 1n);
    }
    for (const [index, each] of [worker, rival].entries()) {
      await pool.send(each, 'register_worker', 100 + index);
      await pool.send(each, 'stake_for_worker', each.address, 25n * CIRO);
    }
  });

  const balance = ({ address }) => token.call('balance_of', address);
  const statusOf = async (id) => (await manager.call('job', id)).progress.status.activeVariant();
  const submit = async (...args) => {
    const receipt = await manager.send(requester, 'submit_job', MODEL, INPUT, spec(...args));
    const [{ job_id }] = events(receipt, manager, 'JobSubmitted');
    return job_id;
  };
  const result = (id, payee, { model = MODEL, input = INPUT } = {}) =>
    contracts.message(manager, KIND.REMOTE_RESULT, id, model, input, OUTPUT, payee);

  it('pulls the payment into escrow and tells workers of the job', async () => {
    const before = await balance(requester);
    const receipt = await manager.send(requester, 'submit_job', MODEL, INPUT, spec());
    const [event] = receipt.events.filter(({ from_address }) => BigInt(from_address) === manager.address);
    const u256 = (value) => [value & (2n ** 128n - 1n), value >> 128n];
    assert.deepEqual(event.keys.slice(1).map(BigInt), [1n]);
    assert.deepEqual(event.data.map(BigInt), [
      ...u256(MODEL),
      ...u256(INPUT),
      1n,
      16_384n,
      80_000n,
      BigInt(DAY),
      ...u256(10n * CIRO),
      ...u256(10n * CIRO),
    ]);
    assert.equal(await balance(requester), before - 10n * CIRO);
    assert.equal(await balance(manager), 10n * CIRO);
    assert.equal(await manager.call('payment', 1), 10n * CIRO);
    assert.equal(await manager.call('total_escrow'), 10n * CIRO);
    const job = await manager.call('job', 1);
    assert.equal(BigInt(job.requester), requester.address);
    assert.equal(job.model_hash, MODEL);
    assert.equal(job.progress.status.activeVariant(), 'Open');
    assert.equal(await submit(), 2n);
    assert.equal(await manager.call('job_count'), 2n);
  });

  it('refuses jobs that cannot be, or that nobody pays for', async () => {
    const bad = (change, model = MODEL) => manager.send(requester, 'submit_job', model, INPUT, { ...spec(), ...change });
    await refused(bad({ max_payment: 0n }), 'BadPayment');
    await refused(bad({ max_payment: 1n << 128n }), 'BadPayment');
    await refused(bad({ duration: 599 }), 'BadDuration');
    await refused(bad({ duration: 30 * DAY + 1 }), 'BadDuration');
    await refused(bad({}, 0n), 'BadModel');
    await refused(bad({ max_payment: 5000n * CIRO }), 'InsufficientBalance');
    await token.send(requester, 'approve', manager.address, CIRO);
    await refused(bad({}), 'InsufficientAllowance');
    await refused(manager.send(requester, 'batch_submit_jobs', []), 'NoJobs');
    assert.equal(await manager.call('job_count'), 0n);
  });

  it('takes several jobs with one transfer', async () => {
    const job = (payment) => ({ 0: MODEL, 1: INPUT, 2: spec(payment) });
    const receipt = await manager.send(requester, 'batch_submit_jobs', [job(CIRO), job(2n * CIRO), job(3n * CIRO)]);
    assert.deepEqual(events(receipt, manager, 'JobSubmitted').map(({ job_id }) => job_id), [1n, 2n, 3n]);
    assert.equal(events(receipt, token, 'Transfer').length, 1);
    for (const id of [1n, 2n, 3n]) assert.equal(await manager.call('payment', id), id * CIRO);
    assert.equal(await balance(manager), 6n * CIRO);
  });

  it('pays the proven payee, once, out of the job\'s own escrow', async () => {
    const [first, second] = [await submit(), await submit()];
    const before = await balance(worker);
    const receipt = await contracts.deliver(manager, result(first, worker.address));
    assert.deepEqual(events(receipt, manager, 'JobCompleted'), [
      { job_id: first, payee: worker.address, output_hash: OUTPUT, payment: 10n * CIRO },
    ]);
    assert.equal(await balance(worker), before + 10n * CIRO);
    assert.equal(await statusOf(first), 'Completed');
    assert.equal((await manager.call('job', first)).output_hash, OUTPUT);
    assert.equal(await statusOf(second), 'Open');
    await refused(contracts.deliver(manager, result(first, worker.address)), 'JobClosed');
    assert.equal(await balance(manager), 10n * CIRO);
  });

  it('believes no result of another model, input or job, and pays nobody who is none', async () => {
    const id = await submit();
    await refused(contracts.deliver(manager, result(id, worker.address, { model: MODEL + 1n })), 'WrongModel');
    await refused(contracts.deliver(manager, result(id, worker.address, { input: INPUT + 1n })), 'WrongInput');
    await refused(contracts.deliver(manager, result(id + 1n, worker.address)), 'UnknownJob');
    await refused(contracts.deliver(manager, result(2n ** 255n, worker.address)), 'UnknownJob');
    await refused(contracts.deliver(manager, result(id, 0n)), 'BadPayee');
    await refused(contracts.deliver(manager, result(id, 2n ** 256n - 1n)), 'BadPayee');
    assert.equal(await statusOf(id), 'Open');
  });

  it('reserves a claimed job for its worker for an hour', async () => {
    const id = await submit();
    await manager.send(worker, 'claim_job', id);
    await refused(manager.send(rival, 'claim_job', id), 'AlreadyClaimed');
    const early = result(id, rival.address);
    await refused(contracts.deliver(manager, early), 'ClaimedByAnother');
    await contracts.deliver(manager, result(id, worker.address));
    const info = await manager.call('worker', worker.address);
    assert.deepEqual([info.committed, info.completed, info.lapsed], [0n, 1n, 0n]);
  });

  it('lets another worker take over after the hour, and not the same one', async () => {
    const id = await submit();
    await manager.send(worker, 'claim_job', id);
    await contracts.pass(HOUR + 60);
    await refused(manager.send(worker, 'claim_job', id), 'ClaimedBefore');
    await manager.send(rival, 'claim_job', id);
    const late = await manager.call('worker', worker.address);
    assert.deepEqual([late.committed, late.completed, late.lapsed], [0n, 0n, 1n]);
    await refused(contracts.deliver(manager, result(id, worker.address)), 'ClaimedByAnother');
    await contracts.pass(HOUR + 60);
    await contracts.deliver(manager, result(id, worker.address));
    const lapsed = await manager.call('worker', rival.address);
    assert.deepEqual([lapsed.committed, lapsed.lapsed], [0n, 1n]);
  });

  it('is anyone\'s after three claims that led to nothing', async () => {
    const id = await submit(10n * CIRO, DAY);
    for (const each of [worker, rival, worker]) {
      await manager.send(each, 'claim_job', id);
      await contracts.pass(HOUR + 60);
    }
    await refused(manager.send(rival, 'claim_job', id), 'OpenToAll');
    await contracts.deliver(manager, result(id, rival.address));
    const info = await manager.call('worker', worker.address);
    assert.deepEqual([info.committed, info.completed, info.lapsed], [0n, 0n, 2n]);
  });

  it('lets nobody claim more than its active stake covers', async () => {
    const ids = [await submit(), await submit(), await submit()];
    const [, , , stranger] = world.users;
    await refused(manager.send(stranger, 'claim_job', ids[0]), 'InsufficientStake');
    await manager.send(worker, 'claim_job', ids[0]);
    await manager.send(worker, 'claim_job', ids[1]);
    await refused(manager.send(worker, 'claim_job', ids[2]), 'InsufficientStake');
    await contracts.deliver(manager, result(ids[0], worker.address));
    await pool.send(worker, 'unstake', worker.address, 10n * CIRO);
    await refused(manager.send(worker, 'claim_job', ids[2]), 'InsufficientStake');
    await pool.send(worker, 'stake_for_worker', worker.address, 10n * CIRO);
    await manager.send(worker, 'claim_job', ids[2]);
    const expensive = await submit(20n * CIRO);
    await contracts.deliver(pool, contracts.message(pool, KIND.SLASH, 1, 101, 500_000));
    await refused(manager.send(rival, 'claim_job', expensive), 'InsufficientStake');
  });

  it('gives the payment back to the requester a day after the deadline, and not before', async () => {
    const id = await submit(10n * CIRO, HOUR);
    await manager.send(worker, 'claim_job', id);
    await contracts.pass(2 * HOUR);
    await refused(manager.send(rival, 'claim_job', id), 'DeadlinePassed');
    await refused(manager.send(requester, 'refund', id), 'TooEarly');
    await contracts.pass(DAY);
    await refused(manager.send(rival, 'refund', id), 'NotRequester');
    const before = await balance(requester);
    await manager.send(requester, 'refund', id);
    assert.equal(await balance(requester), before + 10n * CIRO);
    assert.equal(await statusOf(id), 'Refunded');
    await refused(manager.send(requester, 'refund', id), 'JobClosed');
    await refused(contracts.deliver(manager, result(id, worker.address)), 'JobClosed');
    await refused(manager.send(requester, 'refund', id + 1n), 'UnknownJob');
    const info = await manager.call('worker', worker.address);
    assert.deepEqual([info.committed, info.lapsed], [0n, 1n]);
  });

  it('still pays for a result that comes between deadline and refund', async () => {
    const id = await submit(10n * CIRO, HOUR);
    await contracts.pass(5 * HOUR);
    await contracts.deliver(manager, result(id, worker.address));
    assert.equal(await statusOf(id), 'Completed');
    await contracts.pass(2 * DAY);
    await refused(manager.send(requester, 'refund', id), 'JobClosed');
  });

  it('holds exactly the payments of its open jobs, whatever is done to it', async () => {
    const { below, pick, amount } = random('escrow');
    const jobs = new Map();
    const people = world.users.slice(0, 3);
    const balances = new Map();
    for (const person of people) balances.set(person, await balance(person));
    const pay = (person, value) => balances.set(person, balances.get(person) + value);
    const open = () => [...jobs].filter(([, job]) => job.open);

    const actions = {
      submit: async () => {
        const payment = amount(12n * CIRO);
        const duration = pick([HOUR, DAY]);
        const id = await submit(payment, duration);
        jobs.set(id, { payment, open: true, until: (await world.devnet.now()) + duration + DAY });
        pay(requester, -payment);
      },
      batch: async () => {
        const payments = Array.from({ length: 1 + below(4) }, () => amount(5n * CIRO));
        const receipt = await manager.send(
          requester,
          'batch_submit_jobs',
          payments.map((payment) => ({ 0: MODEL, 1: INPUT, 2: spec(payment) })),
        );
        for (const [index, { job_id }] of events(receipt, manager, 'JobSubmitted').entries()) {
          jobs.set(job_id, { payment: payments[index], open: true, until: (await world.devnet.now()) + 2 * DAY });
          pay(requester, -payments[index]);
        }
      },
      claim: async () => {
        const [id] = pick(open());
        const worker_ = pick([worker, rival]);
        await manager.send(worker_, 'claim_job', id).catch((error) => assert.ok(error.reason, error));
      },
      deliver: async () => {
        const [id, job] = pick([...jobs]);
        const payee = pick([worker, rival]);
        const done = contracts.deliver(manager, result(id, payee.address));
        if (!job.open) return refused(done, 'JobClosed');
        try {
          await done;
        } catch (error) {
          return assert.equal(error.reason, 'ClaimedByAnother', error);
        }
        job.open = false;
        return pay(payee, job.payment);
      },
      refund: async () => {
        const [id, job] = pick([...jobs]);
        const done = manager.send(requester, 'refund', id);
        if (!job.open) return refused(done, 'JobClosed');
        if ((await world.devnet.now()) <= job.until) return refused(done, 'TooEarly');
        await done;
        job.open = false;
        return pay(requester, job.payment);
      },
      wait: () => contracts.pass(pick([HOUR, DAY])),
    };
    await actions.submit();
    for (let step = 0; step < 120; step += 1) {
      if (open().length === 0) await actions.submit();
      await actions[pick(['submit', 'batch', 'claim', 'claim', 'deliver', 'deliver', 'refund', 'refund', 'wait'])]();
      if (step % 10 < 9) continue;
      let escrow = 0n;
      for (const [id, job] of jobs) {
        assert.equal(await manager.call('payment', id), job.open ? job.payment : 0n);
        if (job.open) escrow += job.payment;
      }
      assert.equal(await manager.call('total_escrow'), escrow);
      assert.equal(await balance(manager), escrow);
      for (const person of people) assert.equal(await balance(person), balances.get(person));
      let committed = 0n;
      for (const each of [worker, rival]) committed += (await manager.call('worker', each.address)).committed;
      assert.ok(committed <= escrow, 'claims are on open jobs alone');
    }
  });
});
