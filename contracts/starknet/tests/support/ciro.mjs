// A chain that does what Ciro's does as far as contracts can see it: sessions of validators, leaves, messages, results, and
// signatures over commitments.

import { secp256k1 } from '@noble/curves/secp256k1';
import { MountainRange, be, binaryProof, binaryRoot, fromBytes, keccak, le, text } from './words.mjs';

export const KIND = { MINT: 1n, RESULT: 2n, REMOTE_RESULT: 3n, SLASH: 4n, BURN: 101n, RETURN: 102n };
export const GENESIS = keccak(text('a genesis block'));
const RESULT_DOMAIN = keccak(text('ciro/result/1'));

/** Validator `index` of set `id`: a secret key, the public key's coordinates and the address. */
function validator(id, index) {
  const secret = be(keccak(text(`validator ${id} ${index}`)));
  const { x, y } = secp256k1.ProjectivePoint.fromPrivateKey(secret).toAffine();
  return { secret, x, y, address: addressOf(x, y) };
}

export const addressOf = (x, y) => fromBytes(be(keccak(be(x), be(y))).slice(12));

/** The lane to a contract on Starknet. */
export const laneOf = (chainId, contract, genesis = GENESIS) =>
  keccak(text('ciro/lane/1'), be(genesis), be(1, 1), be(chainId), be(contract));

/** What validators sign. */
export const commitmentHash = ({ root, block, set }) =>
  keccak(Uint8Array.from([4, 0x6d, 0x68, 0x80]), be(root), le(block, 4), le(set, 8));

export const leafBytes = (leaf) =>
  Buffer.concat([
    le(0, 1),
    le(leaf.parent_number, 4),
    be(leaf.parent_hash),
    le(leaf.next_set.id, 8),
    le(leaf.next_set.length, 4),
    be(leaf.next_set.root),
    le(leaf.time, 8),
    be(leaf.messages_root),
    be(leaf.results_root),
  ]);

const wordBytes = (words) => Buffer.concat(words.map((word) => be(word)));

export class Ciro {
  /** `size` says how many validators the set with an id has. A session is `session` blocks long, a block 6 seconds. */
  constructor({ size = () => 4, session = 10, start = 1_700_000_000 } = {}) {
    this.size = size;
    this.session = session;
    this.start = start;
    /** The time of the next block. */
    this.time = start;
    this.range = new MountainRange();
    this.blocks = [];
    this.addBlock();
  }

  /** Block numbers so far: 0 to this. */
  get height() {
    return this.blocks.length - 1;
  }

  setOf = (block) => Math.floor(block / this.session);
  timeOf = (block) => this.blocks[block].leaf.time;

  members(id) {
    return Array.from({ length: this.size(id) }, (_, index) => validator(id, index));
  }

  validatorSet(id) {
    const members = this.members(id);
    return { id, length: members.length, root: binaryRoot(members.map(({ address }) => be(address, 20))) };
  }

  /** Appends a block with messages (lists of words) and results. */
  addBlock({ messages = [], results = [] } = {}) {
    const number = this.blocks.length;
    const resultWords = results.map((result) => [
      RESULT_DOMAIN,
      result.job,
      result.model,
      result.input_commitment,
      result.output_hash,
    ]);
    const leaf = {
      parent_number: number,
      parent_hash: keccak(text(`block ${number}`)),
      next_set: this.validatorSet(this.setOf(number + 1) + 1),
      time: this.time,
      messages_root: binaryRoot(messages.map(wordBytes)),
      results_root: binaryRoot(resultWords.map(wordBytes)),
    };
    this.time += 6;
    this.blocks.push({ leaf, messages, results, resultWords });
    this.range.append(keccak(leafBytes(leaf)));
    return number;
  }

  /** Appends empty blocks up to `number`. */
  grow(number) {
    while (this.height < number) this.addBlock();
  }

  /** A leaf with its proof in the root that `block` commits to. */
  leaf(number, block = this.height) {
    return { leaf: this.blocks[number].leaf, proof: this.range.proof(number, block) };
  }

  /** Message `index` of a block, with its path. */
  message(number, index = 0) {
    const { messages } = this.blocks[number];
    return { words: messages[index], ...binaryProof(messages.map(wordBytes), index) };
  }

  /** Result `index` of a block, with its path. */
  result(number, index = 0) {
    const { results, resultWords } = this.blocks[number];
    const { job, ...result } = results[index];
    return { job, result, ...binaryProof(resultWords.map(wordBytes), index) };
  }

  /** What a relayer submits for `block`: the first block of a session is signed by a set that is yet to take office. */
  update(block = this.height, { set = this.setOf(block), handover = block % this.session === 0, signers } = {}) {
    const members = this.members(set);
    const commitment = { root: this.range.root(block), block, set };
    const quorum = members.length - Math.floor((members.length - 1) / 3);
    const signing = signers ?? members.map((_, index) => index).slice(-quorum);
    return {
      commitment,
      validators: members.map(({ address }) => address),
      signers: signing.reduce((bits, index) => bits | (1n << BigInt(index)), 0n),
      signatures: signing.map((index) => sign(commitmentHash(commitment), members[index])),
      handover: handover ? this.leaf(block - 1, block) : undefined,
    };
  }
}

/** A signature in the contracts' form. */
export function sign(hash, { secret, x, y }) {
  const { r, s, recovery } = secp256k1.sign(be(hash), secret, { lowS: true });
  return { r, s, y_parity: recovery === 1, key_x: x, key_y: y };
}
