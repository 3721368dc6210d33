// A starknet-devnet of one's own, and contracts on it.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Account, CairoOption, CairoOptionVariant, CallData, RpcProvider, hash, json } from 'starknet';

const TARGET = new URL('../../target/', import.meta.url);
const PROGRAM = execFileSync(new URL('../../devnet.sh', import.meta.url).pathname, { encoding: 'utf8' }).trim();
const PATIENCE = 180_000;
/** What a transaction may use of L2 gas: the network's own limit, which is another one for the declaration of a class. */
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

const readTarget = (file) => readFileSync(new URL(file, TARGET), 'utf8');

/** A class's hashes, which take longer to compute than anything else here: once for each build. */
function hashesOf(name, contract) {
  const file = `${name}.hashes.json`;
  if (!existsSync(new URL(file, TARGET))) {
    const hashes = {
      classHash: hash.computeContractClassHash(contract),
      compiledClassHash: hash.computeCompiledClassHashBlake(json.parse(readTarget(`${name}.casm.json`))),
    };
    // Written whole, since other tests read it meanwhile.
    const draft = new URL(`${file}.${process.pid}`, TARGET);
    writeFileSync(draft, JSON.stringify(hashes));
    renameSync(draft, new URL(file, TARGET));
  }
  return JSON.parse(readTarget(file));
}

export const some = (value) =>
  value === undefined ? new CairoOption(CairoOptionVariant.None) : new CairoOption(CairoOptionVariant.Some, value);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Devnet {
  #process;
  #classes = new Map();

  /** Starts a devnet; `stop` ends it. */
  static async start({ accounts = 6, origin } = {}) {
    const devnet = new Devnet();
    const port = await freePort();
    const args = ['--accounts', accounts, '--port', port, '--initial-balance', `1${'0'.repeat(30)}`];
    // A fork's accounts are its own, so that their nonces do not have to come from the network it is of.
    args.push(...(origin ? ['--seed', 2, '--fork-network', origin] : ['--seed', 1]));
    devnet.#process = spawn(PROGRAM, args.map(String), { stdio: 'ignore' });
    devnet.url = `http://127.0.0.1:${port}/rpc`;
    devnet.provider = new RpcProvider({ nodeUrl: devnet.url, specVersion: '0.10.0' });
    const until = Date.now() + PATIENCE;
    for (;;) {
      try {
        devnet.chainId = BigInt(await devnet.provider.getChainId());
        break;
      } catch (error) {
        if (devnet.#process.exitCode !== null || Date.now() > until) {
          devnet.#process.kill();
          throw new Error(`no devnet: ${error.message}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    const keys = await devnet.request('devnet_getPredeployedAccounts');
    devnet.accounts = keys.map((key) => new Signer(devnet, key));
    return devnet;
  }

  async stop() {
    const exit = once(this.#process, 'exit');
    this.#process.kill();
    await exit;
  }

  async request(method, params = {}) {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const { result, error } = await response.json();
    if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  /** Adds an empty block of the time `time`, in Unix seconds, and goes on from there. */
  async setTime(time) {
    await this.request('devnet_setTime', { time: Number(time), generate_block: true });
  }

  async now() {
    return (await this.provider.getBlock('latest')).timestamp;
  }

  async advance(seconds) {
    await this.request('devnet_increaseTime', { time: Number(seconds) });
  }

  /** Declares a contract's class once, and gives its hash. */
  async declare(name) {
    if (!this.#classes.has(name)) {
      const contract = json.parse(readTarget(`${name}.sierra.json`));
      const { account } = this.accounts[0];
      const { transaction_hash, class_hash } = await account.declare({ contract, ...hashesOf(name, contract) }, DECLARE);
      await this.receipt(transaction_hash);
      this.#classes.set(name, { hash: class_hash, abi: contract.abi });
    }
    return this.#classes.get(name);
  }

  /** Deploys a contract with its constructor's arguments. */
  async deploy(name, args) {
    const { hash: classHash, abi } = await this.declare(name);
    const payload = {
      classHash,
      constructorCalldata: new CallData(abi).compile('constructor', args),
      salt: `0x${(this.#salt += 1).toString(16)}`,
    };
    const { transaction_hash, contract_address } = await this.accounts[0].account.deploy(payload, INVOKE);
    await this.receipt(transaction_hash);
    return new Deployed(this, BigInt(contract_address[0]), abi);
  }
  #salt = 0;

  /** A transaction's receipt; an error with the reason if it was reverted. */
  async receipt(hash) {
    const receipt = await this.request('starknet_getTransactionReceipt', { transaction_hash: hash });
    if (receipt.execution_status !== 'SUCCEEDED') throw new Reverted(receipt.revert_reason);
    return receipt;
  }
}

/** A transaction that was reverted. `reason` is the last short string in what the network says about it. */
export class Reverted extends Error {
  constructor(trace) {
    super(trace);
    this.reason = [...trace.matchAll(/\('([A-Za-z]+)'\)/g)].map(([, reason]) => reason).find((r) => r !== 'argent') ?? trace;
  }
}

/** Somebody who sends transactions. */
class Signer {
  constructor(devnet, { address, private_key: privateKey }) {
    this.devnet = devnet;
    this.address = BigInt(address);
    this.account = new Account({ provider: devnet.provider, address, signer: privateKey });
  }
}

/** A contract: `call` reads, `send` sends a transaction and gives its receipt. */
export class Deployed {
  #data;

  constructor(devnet, address, abi) {
    this.devnet = devnet;
    this.address = address;
    this.abi = abi;
    this.#data = new CallData(abi);
  }

  async call(method, ...args) {
    const result = await this.devnet.provider.callContract({
      contractAddress: `0x${this.address.toString(16)}`,
      entrypoint: method,
      calldata: this.#data.compile(method, args),
    });
    return this.#data.parse(method, result);
  }

  /** The call as one of several of a transaction. */
  encode(method, ...args) {
    return {
      contractAddress: `0x${this.address.toString(16)}`,
      entrypoint: method,
      calldata: this.#data.compile(method, args),
    };
  }

  async send(sender, method, ...args) {
    return send(sender, [this.encode(method, ...args)]);
  }
}

/** Sends calls as one transaction and gives its receipt. */
export async function send(sender, calls) {
  const { transaction_hash } = await sender.account.execute(calls, INVOKE);
  return sender.devnet.receipt(transaction_hash);
}

/** The events of this name that a contract emitted in a transaction, each as an object of BigInts. */
export function events(receipt, contract, name) {
  const selector = BigInt(hash.getSelectorFromName(name));
  const { members } = contract.abi.find(
    ({ type, kind, name: path }) => type === 'event' && kind === 'struct' && path.endsWith(`::${name}`),
  );
  return receipt.events
    .filter(({ from_address, keys }) => BigInt(from_address) === contract.address && BigInt(keys[0]) === selector)
    .map(({ keys, data }) => {
      const felts = { key: keys.slice(1).map(BigInt), data: data.map(BigInt) };
      return Object.fromEntries(members.map(({ name, kind, type }) => [name, read(felts[kind], type)]));
    });
}

/** Takes a value of a type off the front of a list of felts. */
function read(felts, type) {
  const u256 = () => felts.shift() + (felts.shift() << 128n);
  if (type === 'core::integer::u256') return u256();
  if (type === 'core::array::Array::<core::integer::u256>') {
    return Array.from({ length: Number(felts.shift()) }, u256);
  }
  return felts.shift();
}
