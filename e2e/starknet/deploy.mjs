// Deploys Ciro's contracts to a starknet-devnet and prints their addresses:
//
//     node deploy.mjs URL CONFIG
//
// CONFIG is the JSON of `ciro bridge genesis`, with `expiry` and `delay` in seconds. With a `treasury`, an account on Ciro, the
// market's entry points are deployed, too.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const CONTRACTS = new URL('../../contracts/starknet/', import.meta.url);
const { Account, CallData, RpcProvider, hash, json } = createRequire(new URL('package.json', CONTRACTS))('starknet');

const [url, config] = [process.argv[2], JSON.parse(process.argv[3])];
const provider = new RpcProvider({ nodeUrl: url });

async function request(method, params = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
  return result;
}

const [governor] = await request('devnet_getPredeployedAccounts');
const account = new Account({ provider, address: governor.address, signer: governor.private_key });

/** What a transaction may use: the network's own limits, so that nothing has to be estimated. */
const bounds = (l2Gas) => ({
  tip: 0n,
  resourceBounds: {
    l1_gas: { max_amount: 0n, max_price_per_unit: 10n ** 15n },
    l1_data_gas: { max_amount: 200_000n, max_price_per_unit: 10n ** 15n },
    l2_gas: { max_amount: l2Gas, max_price_per_unit: 10n ** 12n },
  },
});
const INVOKE = bounds(1_110_000_000n);
const DECLARE = bounds(10_000_000_000n);

async function done(transaction) {
  const receipt = await request('starknet_getTransactionReceipt', { transaction_hash: transaction });
  if (receipt.execution_status !== 'SUCCEEDED') throw new Error(receipt.revert_reason);
}

async function deploy(name, args) {
  const read = (kind) => json.parse(readFileSync(new URL(`target/${name}.${kind}.json`, CONTRACTS), 'utf8'));
  const contract = read('sierra');
  const compiledClassHash = hash.computeCompiledClassHashBlake(read('casm'));
  const declared = await account.declare({ contract, compiledClassHash }, DECLARE);
  await done(declared.transaction_hash);
  const constructorCalldata = new CallData(contract.abi).compile('constructor', args);
  const deployed = await account.deploy({ classHash: declared.class_hash, constructorCalldata, salt: '0x1' }, INVOKE);
  await done(deployed.transaction_hash);
  return deployed.contract_address[0];
}

const set = ({ id, length, root }) => ({ id, length, root: BigInt(root) });
const client = await deploy('BeefyClient', {
  genesis_hash: BigInt(config.genesis),
  current_set: set(config.current),
  next_set: set(config.next),
  handover_time: config.handOver,
  expiry: config.expiry,
  governor: governor.address,
  delay: config.delay,
  guardian: governor.address,
});
const common = { client, governor: governor.address, delay: config.delay };
const token = await deploy('CiroToken', common);
const registry = await deploy('ResultRegistry', common);
const contracts = { client, token, registry };
if (config.treasury) {
  contracts.pool = await deploy('CDCPool', { ...common, token, treasury: BigInt(config.treasury) });
  contracts.manager = await deploy('JobManager', { ...common, token, pool: contracts.pool });
}
console.log(JSON.stringify(contracts));
