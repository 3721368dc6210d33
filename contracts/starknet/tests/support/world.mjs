// A chain, a devnet, and Ciro's contracts on it.

import { Ciro, GENESIS, KIND, laneOf } from './ciro.mjs';
import { Devnet, Reverted, some } from './devnet.mjs';
import assert from 'node:assert/strict';

export const DAY = 86_400;
export const EXPIRY = 5 * DAY;
/** How long a change of a contract is announced before it comes. */
export const DELAY = 7 * DAY;
export const TREASURY = 0x7ea5n;
export const CIRO = 10n ** 18n;

/** Asserts that a promise is rejected by a contract with this error. */
export async function refused(promise, reason) {
  await assert.rejects(promise, (error) => {
    if (!(error instanceof Reverted)) throw error;
    assert.equal(error.reason, reason, error.message);
    return true;
  });
}

/** A devnet whose first account governs the contracts and whose second one guards the client. */
export class World {
  static async start(options) {
    const world = new World();
    world.devnet = await Devnet.start(options);
    [world.governor, world.guardian, ...world.users] = world.devnet.accounts;
    return world;
  }

  stop = () => this.devnet.stop();

  /** Deploys a client that trusts a chain's first two sets since `time`; the devnet's clock then shows the chain's time. */
  async client(ciro, { expiry = EXPIRY, time = ciro.start } = {}) {
    await this.devnet.setTime(ciro.start);
    return this.devnet.deploy('BeefyClient', {
      genesis_hash: GENESIS,
      current_set: ciro.validatorSet(0),
      next_set: ciro.validatorSet(1),
      handover_time: time,
      expiry,
      governor: this.governor.address,
      delay: DELAY,
      guardian: this.guardian.address,
    });
  }

  /** A new chain and all contracts. */
  async everything(options) {
    const ciro = new Ciro(options);
    const client = await this.client(ciro);
    const common = { client: client.address, governor: this.governor.address, delay: DELAY };
    const token = await this.devnet.deploy('CiroToken', common);
    const registry = await this.devnet.deploy('ResultRegistry', common);
    const pool = await this.devnet.deploy('CDCPool', { ...common, token: token.address, treasury: TREASURY });
    const manager = await this.devnet.deploy('JobManager', { ...common, token: token.address, pool: pool.address });
    return new Contracts(this, ciro, { client, token, registry, pool, manager });
  }
}

/** Ciro's contracts, and the chain whose messages they take. */
export class Contracts {
  #nonces = new Map();

  constructor(world, ciro, contracts) {
    Object.assign(this, { world, ciro }, contracts);
    this.relayer = world.governor;
  }

  /** A contract's lane. */
  lane = (contract) => laneOf(this.world.devnet.chainId, contract.address);

  /** The words of the next message to a contract. */
  message(contract, kind, ...words) {
    const nonce = this.#nonces.get(contract.address) ?? 0n;
    this.#nonces.set(contract.address, nonce + 1n);
    return [this.lane(contract), nonce, kind, ...words.map(BigInt)];
  }

  /** Appends a block to the chain and has the client know it; gives its number and that of the block that proves it. */
  async finalise(content) {
    const number = this.ciro.addBlock(content);
    const by = this.ciro.addBlock();
    await this.update(by);
    return { number, by };
  }

  /** Submits the commitment to a block, and those of the sessions' first blocks before it. */
  async update(block) {
    const { ciro, client } = this;
    if (ciro.time > (await this.world.devnet.now())) await this.world.devnet.setTime(ciro.time);
    const newest = Number(await client.call('newest_block'));
    for (let first = ciro.session * (ciro.setOf(newest) + 1); first <= block; first += ciro.session) {
      await client.send(this.relayer, 'submit', ...updateArgs(ciro.update(first)));
    }
    if (block % ciro.session !== 0) await client.send(this.relayer, 'submit', ...updateArgs(ciro.update(block)));
  }

  /** Lets time pass on both chains, with hand-overs often enough for the client to live. */
  async pass(seconds) {
    const { ciro, world } = this;
    const until = Math.max(ciro.time, await world.devnet.now()) + seconds;
    while (ciro.time < until) {
      ciro.time = Math.min(until, ciro.time + 4 * DAY);
      ciro.grow(ciro.session * (ciro.setOf(ciro.height) + 1));
      await this.update(ciro.height);
    }
    await world.devnet.setTime(ciro.time);
  }

  /** Puts messages, made by `message`, into a block and delivers all of them. */
  async deliver(contract, ...messages) {
    const { number, by } = await this.finalise({ messages });
    return contract.send(this.relayer, 'deliver', ...this.deliverArgs(number, by));
  }

  /** The arguments that deliver messages of a block, all if none is named. */
  deliverArgs(number, by, indices = this.ciro.blocks[number].messages.map((_, index) => index)) {
    return [by, this.ciro.leaf(number, by), indices.map((index) => this.ciro.message(number, index))];
  }

  /** Gives somebody tokens. */
  async mint(account, amount) {
    return this.deliver(this.token, this.message(this.token, KIND.MINT, account.address, amount, 2n ** 63n, 1n));
  }
}

/** The arguments of `submit` for an update. */
export const updateArgs = ({ commitment, validators, signers, signatures, handover }) => [
  commitment,
  validators,
  signers,
  signatures,
  some(handover),
];
