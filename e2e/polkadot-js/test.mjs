// Ciro as any Substrate tool sees it: the runtime's metadata over plain RPC, nothing of Ciro's own.
//
//     node test.mjs ws://127.0.0.1:9944 0x<id of a registered model>

import assert from 'node:assert/strict';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { u8aConcat, u8aToHex } from '@polkadot/util';

const [url, model] = process.argv.slice(2);
const UNIT = 10n ** 18n;
const PATIENCE = 60_000;

const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true });
const keyring = new Keyring({ type: 'sr25519' });
const [bob, charlie] = ['//Bob', '//Charlie'].map((uri) => keyring.addFromUri(uri));

/** Signs and sends; gives the events of the transaction once its block is finalised. */
function send(tx, signer) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`${tx.method.method} was not finalised in time`)), PATIENCE).unref();
    tx.signAndSend(signer, (result) => {
      if (result.isFinalized) resolve(result);
      else if (result.isError) reject(new Error(`${tx.method.method}: ${result.status}`));
    }).catch(reject);
  });
}

/** The data of the one event of this name. */
function event({ events }, pallet, name) {
  const found = events.filter(({ event }) => event.section === pallet && event.method === name);
  assert.equal(found.length, 1, `${pallet}.${name} in ${events.map(({ event }) => event.method)}`);
  return found[0].event.data;
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
const input = `0x${'5a'.repeat(32)}`;
const submit = api.tx.jobMarket.submitJob(model, batch, input, 'http://127.0.0.1:1', price, 100);
assert((await submit.paymentInfo(bob)).partialFee.toBigInt() > 0n);
const submitted = event(await send(submit, bob), 'jobMarket', 'JobSubmitted');
assert.equal(submitted.requester.toString(), bob.address);
assert.equal(submitted.model.toHex(), model);
assert.equal(submitted.inputCommitment.toHex(), input);
assert.equal(submitted.batch.toNumber(), batch);
assert.equal(submitted.price.toBigInt(), price);
const id = submitted.job;

const job = (await view('JobMarket', 'job', id)).unwrap();
assert.equal(job.toHex(), (await api.query.jobMarket.jobs(id)).unwrap().toHex());
assert(job.state.isSubmitted);
assert.equal(job.locator.toUtf8(), 'http://127.0.0.1:1');
assert((await view('JobMarket', 'result', id)).isNone);
const open = await view('JobMarket', 'open_jobs', 0, 10);
assert.deepEqual(open.map(([number]) => number.toString()), [id.toString()]);

const holds = async (who) =>
  (await api.query.balances.holds(who.address)).map(({ id, amount }) => [id.value.toString(), amount.toBigInt()]);
const escrow = (await holds(bob)).find(([reason]) => reason === 'Escrow');
assert.equal(escrow?.[1], price, 'the price is on hold');

// A worker claims it and gives it back.
const claimed = event(await send(api.tx.jobMarket.claimJob(id), charlie), 'jobMarket', 'JobClaimed');
assert.equal(claimed.worker.toString(), charlie.address);
assert.equal((await holds(charlie))[0][1], claimed.collateral.toBigInt());
const assigned = (await view('JobMarket', 'job', id)).unwrap().state;
assert.equal(assigned.asAssigned.worker.toString(), charlie.address);
assert.equal((await view('JobMarket', 'open_jobs', 0, 10)).length, 0);
const released = event(await send(api.tx.jobMarket.releaseJob(id), charlie), 'jobMarket', 'JobReleased');
assert(released.cut.toBigInt() > 0n && released.cut.toBigInt() < claimed.collateral.toBigInt());
assert.equal((await holds(charlie)).length, 0);

// The requester takes it back; a second time is refused, with the pallet's own error.
event(await send(api.tx.jobMarket.cancelJob(id), bob), 'jobMarket', 'JobCancelled');
const again = await send(api.tx.jobMarket.cancelJob(id), bob);
const { name, docs } = api.registry.findMetaError(again.dispatchError.asModule);
assert(name && docs.length > 0);
event(await send(api.tx.jobMarket.removeJob(id), bob), 'jobMarket', 'JobRemoved');
assert((await view('JobMarket', 'job', id)).isNone);
assert.equal((await holds(bob)).length, 0);

// The RPC methods of consensus and bridge.
const { methods } = await api.rpc.rpc.methods();
const names = new Set(methods.map(String));
for (const method of [
  'babe_epochAuthorship', 'beefy_getFinalizedHead', 'beefy_subscribeJustifications', 'grandpa_proveFinality',
  'grandpa_roundState', 'grandpa_subscribeJustifications', 'mmr_generateProof', 'mmr_root', 'mmr_verifyProof',
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
