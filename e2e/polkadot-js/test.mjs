// Ciro as any Substrate tool sees it: the runtime's metadata over plain RPC, nothing of Ciro's own.
//
//     node test.mjs ws://127.0.0.1:9944 0x<id of a registered model>

import assert from 'node:assert/strict';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { bnToU8a, compactAddLength, stringToU8a, u8aConcat, u8aToHex } from '@polkadot/util';

const [url, model] = process.argv.slice(2);
const UNIT = 10n ** 18n;
const PATIENCE = 120_000;

const provider = new WsProvider(url);
const api = await ApiPromise.create({ provider, noInitWarn: true });
const keyring = new Keyring({ type: 'sr25519' });
const [alice, bob, charlie, dave, eve] = ['//Alice', '//Bob', '//Charlie', '//Dave', '//Eve'].map((uri) =>
  keyring.addFromUri(uri),
);

/** Signs and sends; gives the events of the transaction once its block is finalised, or as soon as it is in one. */
function send(tx, signer, { inBlock = false } = {}) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`${tx.method.method} was not finalised in time`)), PATIENCE).unref();
    tx.signAndSend(signer, (result) => {
      if (result.isFinalized || (inBlock && result.isInBlock)) resolve(result);
      else if (result.isError) reject(new Error(`${tx.method.method}: ${result.status}`));
    }).catch(reject);
  });
}

/** Waits until the best block has this number. */
async function blockReached(number) {
  for (;;) {
    const header = await api.rpc.chain.getHeader();
    if (header.number.toNumber() >= number) return header;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The data of the one event of this name. */
function event({ events }, pallet, name) {
  const found = events.filter(({ event }) => event.section === pallet && event.method === name);
  assert.equal(found.length, 1, `${pallet}.${name} in ${events.map(({ event }) => event.method)}`);
  return found[0].event.data;
}

/** Waits for an event of a finalised block from `number` on, and gives its data. */
async function eventSince(number, pallet, name) {
  for (let next = number; ; next += 1) {
    await finalised(next);
    const at = await api.at(await api.rpc.chain.getBlockHash(next));
    const found = (await at.query.system.events()).find(({ event }) => event.section === pallet && event.method === name);
    if (found) return found.event.data;
  }
}

/** Waits until the block of this number is final. */
async function finalised(number) {
  for (;;) {
    const header = await api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead());
    if (header.number.toNumber() >= number) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Calls a view function by the names and types that the metadata gives. */
async function view(pallet, name, ...values) {
  const { registry } = api;
  const { viewFunctions } = api.runtimeMetadata.asV16.pallets.find((one) => one.name.eq(pallet));
  const { id, inputs, output } = viewFunctions.find((one) => one.name.eq(name));
  const input = u8aConcat(
    ...inputs.map(({ type }, index) => registry.createType(registry.createLookupType(type), values[index]).toU8a()),
  );
  const result = await api.call.runtimeViewFunction.executeViewFunction(id.toU8a(), u8aToHex(input));
  assert(result.isOk, `${pallet}.${name}: ${result}`);
  return registry.createType(registry.createLookupType(output), result.asOk.toU8a(true));
}

// The chain introduces itself.
assert.equal(api.runtimeVersion.specName.toString(), 'ciro');
assert.deepEqual([api.registry.chainTokens, api.registry.chainDecimals, api.registry.chainSS58], [['CIRO'], [18], 42]);
assert.equal(api.consts.jobMarket.minJobPrice.toBigInt(), UNIT);

// A view function about the model, and the same in storage.
const info = (await view('ModelRegistry', 'model', model)).unwrap();
assert.equal(info.toHex(), (await api.query.modelRegistry.models(model)).unwrap().toHex());
assert.equal(info.name.toUtf8(), 'digits');
const floor = info.priceFloor.toBigInt();

// A job, its event, and what the chain says of it.
const batch = 2;
const price = BigInt(batch) * floor;
const samples = new Uint8Array(batch * 64);
const u32 = (value) => bnToU8a(value, { bitLength: 32, isLe: true });
const input = api.registry.hash(u8aConcat(stringToU8a('ciro/input/1'), u32(batch), samples)).toHex();
const spec = {
  model,
  batch,
  inputCommitment: input,
  locator: 'http://127.0.0.1:1',
  price: { floor: price, ceiling: 2n * price, ramp: 1_000_000 },
  duration: 100,
  verification: 'ZkMl',
  priority: 'Normal',
  requirements: { gpu: false, memory: 0, gflops: 0, region: null },
};
const submit = api.tx.jobMarket.submitJob(spec);
assert((await submit.paymentInfo(bob)).partialFee.toBigInt() > 0n);
const submitted = event(await send(submit, bob), 'jobMarket', 'JobSubmitted');
assert.equal(submitted.requester.toString(), bob.address);
assert.equal(submitted.model.toHex(), model);
assert.equal(submitted.inputCommitment.toHex(), input);
assert.equal(submitted.batch.toNumber(), batch);
assert.equal(submitted.price.floor.toBigInt(), price);
const id = submitted.job;

const job = (await view('JobMarket', 'job', id)).unwrap();
assert.equal(job.toHex(), (await api.query.jobMarket.jobs(id)).unwrap().toHex());
assert(job.state.isSubmitted);
assert.equal(job.locator.toUtf8(), 'http://127.0.0.1:1');
assert((await view('JobMarket', 'result', id)).isNone);
const open = await view('JobMarket', 'open_jobs', 0, 10, 'Normal');
assert.deepEqual(open.map(([number]) => number.toString()), [id.toString()]);

const holds = async (who) =>
  (await api.query.balances.holds(who.address)).map(({ id, amount }) => [id.value.toString(), amount.toBigInt()]);
const escrow = (await holds(bob)).find(([reason]) => reason === 'Escrow');
assert.equal(escrow?.[1], 2n * price, 'the most that it may cost is on hold');

// A worker registers, stakes, and takes a delegation.
const stake = 500_000n * UNIT;
const machine = { gpuModel: '', memory: 16_384, gflops: 100, region: 'Europe', peerAddress: '' };
event(await send(api.tx.workerRegistry.register(machine, charlie.publicKey), charlie), 'workerRegistry', 'WorkerRegistered');
const staked = event(await send(api.tx.cdcPool.stake(stake), charlie), 'cdcPool', 'WorkerStaked');
assert.equal(staked.amount.toBigInt(), stake);
await send(api.tx.cdcPool.setRoles(true, false), charlie);
await send(api.tx.cdcPool.stakeForWorker(charlie.address, 30n * UNIT), eve);
const operator = (await view('CdcPool', 'operator', charlie.address)).unwrap();
assert.equal(operator.total.toBigInt(), stake + 30n * UNIT);
assert.equal(operator.positions.toNumber(), 2);
assert((await view('Slashing', 'standing', charlie.address)).isGood);

// Part of it goes back: it stays on hold for the unbonding period, and answers for the operator until then.
const unstaked = event(await send(api.tx.cdcPool.unstake(charlie.address, 10n * UNIT), eve), 'cdcPool', 'UnstakeRequested');
const position = async () => (await view('CdcPool', 'position', charlie.address, eve.address)).unwrap();
assert.equal((await position()).unbonding[0].amount.toBigInt(), 10n * UNIT);
const unripe = await send(api.tx.cdcPool.withdrawUnbonded(charlie.address), eve, { inBlock: true });
assert.equal(api.registry.findMetaError(unripe.dispatchError.asModule).name, 'NothingRipe');

// A heartbeat is a transaction that nobody signs. In the window of the registration none is due.
const period = api.consts.workerRegistry.heartbeatPeriod.toNumber();
const window = Math.floor((await api.rpc.chain.getHeader()).number.toNumber() / period);
const heartbeat = (window) => {
  const beat = u8aConcat(stringToU8a('ciro/heartbeat/1'), api.genesisHash.toU8a(), charlie.publicKey, u32(window));
  const { method } = api.tx.workerRegistry.heartbeat(charlie.address, window, charlie.sign(beat));
  // Version 5, general, with version 0 of the extensions: immortal, nonce 0, no tip, no metadata hash.
  const general = u8aConcat([0x45, 0], [0, 0, 0, 0], method.toU8a());
  return provider.send('author_submitExtrinsic', [u8aToHex(compactAddLength(general))]);
};
await assert.rejects(heartbeat(window), /outdated/);

// A worker claims the job when its merit lets it, and gives it back.
const from = (await view('JobMarket', 'eligible_from', id, charlie.address)).unwrap().toNumber();
await blockReached(from - 1);
const claimed = event(await send(api.tx.jobMarket.claimJob(id), charlie), 'jobMarket', 'JobClaimed');
assert.equal(claimed.worker.toString(), charlie.address);
assert.equal(claimed.price.toBigInt() >= price && claimed.price.toBigInt() < 2n * price, true);
const reserved = async () => (await view('CdcPool', 'operator', charlie.address)).unwrap().reserved.toBigInt();
assert.equal(await reserved(), claimed.collateral.toBigInt());
const assigned = (await view('JobMarket', 'job', id)).unwrap().state;
assert.equal(assigned.asAssigned.worker.toString(), charlie.address);
assert.equal((await view('JobMarket', 'open_jobs', 0, 10, 'Low')).length, 0);
const released = event(await send(api.tx.jobMarket.releaseJob(id), charlie), 'jobMarket', 'JobReleased');
assert(released.cut.toBigInt() > 0n && released.cut.toBigInt() < claimed.collateral.toBigInt());
assert.equal(await reserved(), 0n);

// The requester takes it back; a second time is refused, with the pallet's own error.
event(await send(api.tx.jobMarket.cancelJob(id), bob), 'jobMarket', 'JobCancelled');
const again = await send(api.tx.jobMarket.cancelJob(id), bob);
const { name, docs } = api.registry.findMetaError(again.dispatchError.asModule);
assert(name && docs.length > 0);
event(await send(api.tx.jobMarket.removeJob(id), bob), 'jobMarket', 'JobRemoved');
assert((await view('JobMarket', 'job', id)).isNone);
assert.equal((await holds(bob)).length, 0);

// A refused proof opens a case at once: the offender is suspended, and will lose half of its stake.
const second = event(await send(api.tx.jobMarket.submitJob(spec), bob), 'jobMarket', 'JobSubmitted').job;
await blockReached((await view('JobMarket', 'eligible_from', second, charlie.address)).unwrap().toNumber() - 1);
event(await send(api.tx.jobMarket.claimJob(second), charlie), 'jobMarket', 'JobClaimed');
const answer = new Array(batch * 10).fill(0);
const wrong = api.tx.jobMarket.submitResult(second, charlie.address, u8aToHex(samples), answer, `0x${'5a'.repeat(999)}`);
const refused = await send(wrong, charlie);
assert(event(refused, 'jobMarket', 'ResultRefused').cut.toBigInt() > 0n);
const opened = event(refused, 'slashing', 'CaseOpened');
assert(opened.kind.isInvalidCompute && opened.fraction.toNumber() === 500_000_000);
assert((await view('Slashing', 'case', opened.case)).unwrap().status.isPending);
assert((await view('Slashing', 'standing', charlie.address)).isSuspended);
const frozen = await send(api.tx.cdcPool.withdrawUnbonded(charlie.address), eve, { inBlock: true });
assert.equal(api.registry.findMetaError(frozen.dispatchError.asModule).name, 'CaseOpen');
event(await send(api.tx.jobMarket.cancelJob(second), bob), 'jobMarket', 'JobCancelled');

// A vote on a parameter.
const change = api.tx.parameters.setParameter({ Market: { MinJobPrice: ['MinJobPrice', 2n * UNIT] } });
const noted = event(await send(api.tx.preimage.notePreimage(change.method.toHex()), alice), 'preimage', 'Noted');
const proposal = { Lookup: { hash_: noted.hash_, len: change.method.encodedLength } };
const referendum = event(
  await send(api.tx.referenda.submit({ Origins: 'GeneralAdmin' }, proposal, { After: 1 }), alice),
  'referenda',
  'Submitted',
).index;
const aye = { Standard: { vote: { aye: true, conviction: 'None' }, balance: 1_000n * UNIT } };
event(await send(api.tx.convictionVoting.vote(referendum, aye), bob), 'convictionVoting', 'Voted');
const poll = (await api.query.referenda.referendumInfoFor(referendum)).unwrap().asOngoing;
assert.equal(poll.tally.ayes.toBigInt() > 0n, true);

// When the case is due, half of everybody's stake is taken. What left before the offence goes back whole.
const cut = await eventSince(opened.due.toNumber(), 'slashing', 'SlashApplied');
assert(cut.case.eq(opened.case) && cut.offender.eq(charlie.address) && cut.fraction.eq(opened.fraction));
assert.equal((await position()).active.toBigInt(), 10n * UNIT);
assert.equal((await position()).unbonding[0].amount.toBigInt(), 10n * UNIT);
await finalised(unstaked.ripeAt.toNumber());
const withdrawn = event(await send(api.tx.cdcPool.withdrawUnbonded(charlie.address), eve), 'cdcPool', 'UnstakeExecuted');
assert.equal(withdrawn.amount.toBigInt(), 10n * UNIT);

// In a later window a heartbeat is due, and counts once.
await finalised((window + 1) * period);
const head = (await api.rpc.chain.getHeader()).number.toNumber();
const later = Math.floor(head / period);
await heartbeat(later);
const heard = await eventSince(head, 'workerRegistry', 'HeartbeatReceived');
assert(heard.who.eq(charlie.address) && heard.window.eq(later));
await assert.rejects(heartbeat(later), /outdated/);

// Every transaction and every event of the chain so far decodes, and those of Ciro's own pallets say what they are.
const own = ['modelRegistry', 'jobMarket', 'cdcPool', 'reputation', 'workerRegistry', 'slashing', 'validatorSet',
  'outboundQueue', 'attesters', 'tokenGateway'];
const seen = new Set();
const last = (await api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead())).number.toNumber();
for (let number = 1; number <= last; number += 1) {
  const hash = await api.rpc.chain.getBlockHash(number);
  const { block } = await api.rpc.chain.getBlock(hash);
  for (const { method } of block.extrinsics) {
    seen.add(`${method.section}.${method.method}`);
    assert(!own.includes(method.section) || method.meta.docs.length > 0, `${method.section}.${method.method} has no docs`);
  }
  for (const { event } of await (await api.at(hash)).query.system.events()) {
    seen.add(`${event.section}.${event.method}`);
    assert(!own.includes(event.section) || event.meta.docs.length > 0, `${event.section}.${event.method} has no docs`);
  }
}
for (const name of [
  'cdcPool.stake', 'cdcPool.WorkerStaked', 'cdcPool.stakeForWorker', 'workerRegistry.heartbeat',
  'workerRegistry.HeartbeatReceived', 'jobMarket.ResultRefused', 'slashing.CaseOpened', 'slashing.SlashApplied',
  'cdcPool.StakeSlashed', 'convictionVoting.vote', 'convictionVoting.Voted', 'cdcPool.unstake', 'cdcPool.UnstakeExecuted',
]) {
  assert(seen.has(name), `the chain has no ${name}`);
}
for (const pallet of own) {
  const all = [api.tx[pallet], api.events[pallet], api.errors[pallet], api.consts[pallet], api.query[pallet]];
  for (const [name, item] of all.flatMap((items) => Object.entries(items ?? {}))) {
    const { docs } = (item.creator ?? item).meta;
    assert(name === 'palletVersion' || docs.length > 0, `${pallet}.${name} has no docs`);
  }
}

// The RPC methods of consensus and bridge.
const { methods } = await api.rpc.rpc.methods();
const names = new Set(methods.map(String));
for (const method of [
  'babe_epochAuthorship', 'beefy_getFinalizedHead', 'beefy_subscribeJustifications', 'grandpa_proveFinality',
  'grandpa_roundState', 'grandpa_subscribeJustifications', 'mmr_generateProof', 'mmr_root', 'mmr_verifyProof',
  'bridge_leaves', 'bridge_previous',
]) {
  assert(names.has(method), `the node has no ${method}`);
}
const round = await api.rpc.grandpa.roundState();
assert.equal(round.best.totalWeight.toNumber(), 1);
const authorship = await api.rpc.babe.epochAuthorship();
assert.equal(authorship.size, 1);
const signed = await api.rpc.chain.getHeader(await api.rpc.beefy.getFinalizedHead());
assert(signed.number.toNumber() > 0, 'BEEFY has signed nothing');
const root = await api.rpc.mmr.root(signed.hash);
const proof = await api.rpc.mmr.generateProof([1], signed.number.toNumber(), signed.hash);
assert(root.length === 32 && proof.leaves.length > 0);
assert((await api.rpc.mmr.verifyProof(proof)).isTrue);

console.log(`job ${id}: events, view functions and RPC methods are as they should be; ${names.size} methods in all`);
await api.disconnect();
