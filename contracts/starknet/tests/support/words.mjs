// Bytes, hashes and Merkle trees as `bridge/PROTOCOL.md` lays them down, written from that text alone, so that the tests do
// not take the contracts' word for it. Hashes and words are BigInts read as big-endian numbers.

import { keccak_256 } from '@noble/hashes/sha3';

/** A number as so many big-endian bytes. */
export function be(number, size = 32) {
  return Uint8Array.from(Buffer.from(BigInt(number).toString(16).padStart(2 * size, '0'), 'hex'));
}

/** A number as so many little-endian bytes. */
export const le = (number, size) => be(number, size).reverse();

export const fromBytes = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
export const text = (string) => new TextEncoder().encode(string);

/** The hash of byte strings put together. */
export const keccak = (...parts) => fromBytes(keccak_256(Buffer.concat(parts)));

const node = (left, right) => keccak(be(left), be(right));

/** The layers of a binary tree over leaves given as bytes, the leaves' hashes first. */
function layers(leaves) {
  const all = [leaves.map((leaf) => keccak(leaf))];
  while (all.at(-1).length > 1) {
    const below = all.at(-1);
    const above = [];
    for (let i = 0; i < below.length; i += 2) {
      above.push(i + 1 < below.length ? node(below[i], below[i + 1]) : below[i]);
    }
    all.push(above);
  }
  return all;
}

/** The root of a binary tree; zero if it has no leaves. */
export const binaryRoot = (leaves) => (leaves.length ? layers(leaves).at(-1)[0] : 0n);

/** The path of a leaf of a binary tree, with its index and the number of leaves. */
export function binaryProof(leaves, index) {
  const path = [];
  let position = index;
  for (const layer of layers(leaves).slice(0, -1)) {
    const sibling = layer[position ^ 1];
    if (sibling !== undefined) path.push(sibling);
    position >>= 1;
  }
  return { index, count: leaves.length, path };
}

/** A Merkle mountain range over hashed leaves. */
export class MountainRange {
  leaves = [];
  #nodes = new Map();

  append(leaf) {
    this.leaves.push(leaf);
  }

  /** The root that the first `count` leaves have. */
  root(count) {
    return bag(peaks(count).map(({ start, height }) => this.#node(start, height)));
  }

  /** The proof of leaf `index` among the first `count`. */
  proof(index, count) {
    const all = peaks(count);
    const own = all.findIndex(({ start, height }) => index < start + 2 ** height);
    const node = ({ start, height }) => this.#node(start, height);
    const siblings = [];
    for (let height = 0; height < all[own].height; height += 1) {
      const start = Math.floor(index / 2 ** height) * 2 ** height;
      const isRight = Math.floor(index / 2 ** height) % 2 === 1;
      siblings.push(this.#node(isRight ? start - 2 ** height : start + 2 ** height, height));
    }
    const right = all.slice(own + 1).map(node);
    return [...all.slice(0, own).map(node), ...siblings, ...(right.length ? [bag(right)] : [])];
  }

  #node(start, height) {
    const key = `${start}/${height}`;
    if (!this.#nodes.has(key)) {
      const half = 2 ** (height - 1);
      this.#nodes.set(
        key,
        height === 0 ? this.leaves[start] : node(this.#node(start, height - 1), this.#node(start + half, height - 1)),
      );
    }
    return this.#nodes.get(key);
  }
}

/** The perfect trees that `count` leaves make, the largest first. */
function peaks(count) {
  const all = [];
  let start = 0;
  for (let height = 31; height >= 0; height -= 1) {
    if (Math.floor(count / 2 ** height) % 2 === 1) {
      all.push({ start, height });
      start += 2 ** height;
    }
  }
  return all;
}

/** Bags peaks from the right. */
const bag = (hashes) => hashes.reduceRight((right, left) => node(right, left));
