// The light client: what it follows, and each of its rules by what it refuses.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1';
import { Ciro, commitmentHash } from './support/ciro.mjs';
import { be, binaryRoot, fromBytes } from './support/words.mjs';
import { DAY, EXPIRY, World, refused, updateArgs } from './support/world.mjs';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe('the light client', { concurrency: false }, () => {
  let world;
  let ciro;
  let client;

  before(async () => {
    world = await World.start();
  });
  after(() => world.stop());
  beforeEach(async () => {
    ciro = new Ciro();
    ciro.grow(25);
    client = await world.client(ciro);
    await world.devnet.setTime(ciro.timeOf(25));
  });

  const submit = (update) => client.send(world.governor, 'submit', ...updateArgs(update));
  const check = (block, proven) => client.send(world.governor, 'check_leaf', block, proven);
  const newest = async () => Number(await client.call('newest_block'));
  /** The update to `block` with some fields changed. */
  const changed = (block, change) => {
    const update = ciro.update(block);
    return { ...update, ...change(update) };
  };
  /** The update to `block` with a field of its first signature changed. */
  const forged = (block, change) =>
    changed(block, ({ signatures: [first, ...rest] }) => ({ signatures: [{ ...first, ...change(first) }, ...rest] }));

  it('follows blocks and hand-overs, and proves every leaf before a known block', async () => {
    for (const block of [3, 9, 10, 11, 20, 25]) await submit(ciro.update(block));
    const sets = Object.values(await client.call('validator_sets')).map(({ id }) => Number(id));
    assert.deepEqual(sets, [2, 3]);
    assert.equal(await newest(), 25);
    assert.equal(await client.call('root', 20), ciro.range.root(20));
    assert.equal(await client.call('handover_time'), BigInt(ciro.timeOf(19)));
    for (const block of [3, 11, 20, 25]) {
      for (let parent = 0; parent < block; parent += 1) {
        await client.call('check_leaf', block, ciro.leaf(parent, block));
      }
    }
  });

  it('takes any two thirds and one of sets of every size up to what is tested here', async () => {
    for (const size of [1, 2, 3, 5, 7, 10]) {
      ciro = new Ciro({ size: () => size });
      ciro.grow(12);
      client = await world.client(ciro);
      await submit(ciro.update(4));
      const faulty = Math.floor((size - 1) / 3);
      const signers = Array.from({ length: size - faulty }, (_, index) => index);
      await submit(ciro.update(5, { signers }));
      await refused(submit(ciro.update(6, { signers: signers.slice(1) })), 'TooFewSigners');
      await submit(ciro.update(7, { signers: Array.from({ length: size }, (_, index) => index) }));
      await submit(ciro.update(10));
    }
  });

  it('refuses a block that is not newer', async () => {
    await submit(ciro.update(5));
    await refused(submit(ciro.update(5)), 'StaleCommitment');
    await refused(submit(ciro.update(4)), 'StaleCommitment');
  });

  it('refuses sets other than the current and the next', async () => {
    await refused(submit(ciro.update(20)), 'UnknownSet');
    await submit(ciro.update(10));
    await refused(submit(ciro.update(11, { set: 0 })), 'UnknownSet');
  });

  it('refuses another list of addresses than the set has', async () => {
    const { validators } = ciro.update(5);
    await refused(submit(changed(5, () => ({ validators: validators.slice(1) }))), 'WrongAddressCount');
    await refused(submit(changed(5, () => ({ validators: [...validators, 1n] }))), 'WrongAddressCount');
    await refused(submit(changed(5, () => ({ validators: validators.toReversed() }))), 'WrongSetRoot');
    await refused(submit(changed(5, () => ({ validators: ciro.update(10).validators }))), 'WrongSetRoot');
  });

  it('refuses a set with a zero address', async () => {
    const addresses = [...ciro.update(5).validators.slice(1), 0n];
    ciro.validatorSet = (id) => ({ id, length: 4, root: binaryRoot(addresses.map((address) => be(address, 20))) });
    client = await world.client(ciro);
    await refused(submit(changed(5, () => ({ validators: addresses }))), 'ZeroAddress');
  });

  it('refuses signers beyond the set, too few of them, and another number of signatures', async () => {
    await refused(submit(changed(5, ({ signers }) => ({ signers: signers | 0x10n }))), 'SignerOutOfRange');
    await refused(submit(changed(5, ({ signers }) => ({ signers: signers | (1n << 63n) }))), 'SignerOutOfRange');
    await refused(submit(ciro.update(5, { signers: [0, 3] })), 'TooFewSigners');
    await refused(submit(changed(5, ({ signatures }) => ({ signatures: signatures.slice(1) }))), 'WrongSignatureCount');
    await refused(
      submit(changed(5, ({ signatures }) => ({ signatures: [...signatures, signatures[0]] }))),
      'WrongSignatureCount',
    );
  });

  it('refuses signatures in another order, twice by one signer, or by another validator', async () => {
    await refused(submit(changed(5, ({ signatures: [a, b, c] }) => ({ signatures: [b, a, c] }))), 'WrongSigner');
    await refused(submit(changed(5, ({ signatures: [a, , c] }) => ({ signatures: [a, a, c] }))), 'WrongSigner');
    await refused(submit(changed(5, () => ({ signers: 0b0111n }))), 'WrongSigner');
  });

  it('refuses both twins of a good signature, and values that are none', async () => {
    await refused(submit(forged(5, ({ s, y_parity }) => ({ s: ORDER - s, y_parity: !y_parity }))), 'HighS');
    await refused(submit(forged(5, ({ y_parity }) => ({ y_parity: !y_parity }))), 'WrongSigner');
    await refused(submit(forged(5, () => ({ s: 0n }))), 'WrongSigner');
    await refused(submit(forged(5, () => ({ r: 0n }))), 'WrongSigner');
    await refused(submit(forged(5, ({ r }) => ({ r: r + 1n }))), 'WrongSigner');
    await refused(submit(forged(5, ({ r }) => ({ r: r + ORDER < 1n << 256n ? r + ORDER : ORDER }))), 'WrongSigner');
    await refused(submit(forged(5, ({ s }) => ({ s: s - 1n }))), 'WrongSigner');
  });

  it('refuses a key that is not the signer\'s, or not on the curve', async () => {
    await refused(submit(forged(5, ({ key_y }) => ({ key_y: key_y + 1n }))), 'WrongSigner');
    await refused(submit(forged(5, () => ({ key_x: 0n, key_y: 0n }))), 'WrongSigner');
    const [, { key_x, key_y }] = ciro.update(5).signatures;
    await refused(submit(forged(5, () => ({ key_x, key_y }))), 'WrongSigner');
  });

  it('lets no validator cover for another by a signature whose error cancels the other\'s', async () => {
    const update = ciro.update(5);
    const [attacker, victim] = ciro.members(0).slice(-3);
    const [forgery, cover] = cancelling(commitmentHash(update.commitment), attacker, victim);
    await refused(submit({ ...update, signatures: [cover, forgery, update.signatures[2]] }), 'WrongSigner');
  });

  it('refuses signatures of another root, block or set', async () => {
    const altered = (field, value) =>
      changed(5, ({ commitment }) => ({ commitment: { ...commitment, [field]: value } }));
    await refused(submit(altered('root', 1n)), 'WrongSigner');
    await refused(submit(altered('block', 6)), 'WrongSigner');
    const { validators } = ciro.update(10);
    await refused(submit({ ...altered('set', 1), validators }), 'WrongSigner');
  });

  it('asks for a leaf with the next set\'s commitment, and none with the current set\'s', async () => {
    await refused(submit(ciro.update(10, { handover: false })), 'MissingLeaf');
    await refused(submit(ciro.update(5, { handover: true })), 'UnexpectedLeaf');
  });

  it('refuses a leaf that does not name the set after the signers\'', async () => {
    await refused(submit(changed(10, () => ({ handover: ciro.leaf(3, 10) }))), 'WrongNextSet');
    ciro = new Ciro({ size: (id) => (id === 2 ? 65 : 4) });
    ciro.grow(10);
    client = await world.client(ciro);
    await refused(submit(ciro.update(10)), 'WrongSetLength');
  });

  it('refuses a leaf that is not proven, or of the commitment\'s own block', async () => {
    const handover = (change) => changed(10, ({ handover: { leaf, proof } }) => ({ handover: change(leaf, proof) }));
    await refused(submit(handover((leaf, proof) => ({ leaf: { ...leaf, time: leaf.time - 1 }, proof }))), 'WrongLeafProof');
    await refused(submit(handover((leaf, proof) => ({ leaf, proof: [...proof, 0n] }))), 'WrongLeafProofLength');
    await refused(submit(handover((leaf, proof) => ({ leaf, proof: proof.slice(1) }))), 'WrongLeafProofLength');
    await refused(submit(handover((leaf) => ({ leaf, proof: [] }))), 'WrongLeafProofLength');
    await refused(submit(handover(() => ciro.leaf(10, 11))), 'LeafOutOfRange');
  });

  it('refuses a leaf from the future', async () => {
    client = await world.client(ciro);
    await world.devnet.setTime(ciro.timeOf(9) - 700);
    await refused(submit(ciro.update(10)), 'LeafFromFuture');
    await world.devnet.setTime(ciro.timeOf(9) - 590);
    await submit(ciro.update(10));
  });

  it('never sets the hand-over\'s time back', async () => {
    const time = ciro.timeOf(15);
    client = await world.client(ciro, { time });
    await world.devnet.setTime(ciro.timeOf(25));
    await submit(ciro.update(10));
    assert.equal(await client.call('handover_time'), BigInt(time));
    await submit(ciro.update(20));
    assert.equal(await client.call('handover_time'), BigInt(ciro.timeOf(19)));
  });

  it('expires: the current set\'s commitments do not keep it alive, a hand-over does', async () => {
    await submit(ciro.update(5));
    await world.devnet.setTime(ciro.start + EXPIRY - 60);
    await submit(ciro.update(6));
    await world.devnet.setTime(ciro.start + EXPIRY + 60);
    await refused(submit(ciro.update(7)), 'Expired');
    await refused(submit(ciro.update(10)), 'Expired');
    await client.call('check_leaf', 6, ciro.leaf(2, 6));
  });

  it('proves no leaf by a block that it does not know, out of place, or with more or fewer items', async () => {
    await submit(ciro.update(11, { set: 1, handover: true }));
    const { leaf, proof } = ciro.leaf(6, 11);
    await check(11, { leaf, proof });
    await refused(check(10, ciro.leaf(6, 10)), 'UnknownRoot');
    await refused(check(11, ciro.leaf(11, 12)), 'LeafOutOfRange');
    await refused(check(11, { leaf, proof: proof.slice(1) }), 'WrongLeafProofLength');
    await refused(check(11, { leaf, proof: [...proof, 0n] }), 'WrongLeafProofLength');
    await refused(check(11, { leaf, proof: [] }), 'WrongLeafProofLength');
    await refused(check(11, { leaf, proof: proof.toReversed() }), 'WrongLeafProof');
    await refused(check(11, { leaf: ciro.leaf(7, 11).leaf, proof }), 'WrongLeafProof');
    await refused(check(11, ciro.leaf(6, 12)), 'WrongLeafProof');
  });

  it('is halted by its guardian alone, and then accepts and proves nothing', async () => {
    await submit(ciro.update(5));
    await refused(client.send(world.governor, 'halt'), 'NotGuardian');
    await client.send(world.guardian, 'halt');
    assert.equal(await client.call('is_halted'), true);
    await refused(submit(ciro.update(6)), 'Halted');
    await refused(check(5, ciro.leaf(2, 5)), 'Halted');
  });

  it('is not deployed with sets that do not follow each other, or to live as long as stake is bonded', async () => {
    await assert.rejects(world.client(ciro, { expiry: 7 * DAY }), /BadExpiry/);
    await assert.rejects(world.client(ciro, { expiry: 0 }), /BadExpiry/);
    const skipping = new Ciro();
    skipping.validatorSet = (id) => ({ id: 2 * id, length: 4, root: 1n });
    await assert.rejects(world.client(skipping), /WrongNextSet/);
    skipping.validatorSet = (id) => ({ id, length: 0, root: 0n });
    await assert.rejects(world.client(skipping), /WrongSetLength/);
  });
});

/**
 * A forged signature of the victim and one of the attacker that make up for each other if the equations
 * e/s·G + r/s·Q = R are added up without coefficients.
 */
function cancelling(hash, attacker, victim) {
  const { ProjectivePoint: Point } = secp256k1;
  const mod = (value) => ((value % ORDER) + ORDER) % ORDER;
  const divide = (a, b) => {
    let [power, result, base] = [ORDER - 2n, 1n, mod(b)];
    for (; power > 0n; power >>= 1n, base = mod(base * base)) if (power & 1n) result = mod(result * base);
    return mod(a * result);
  };
  const signature = (point, s, { x, y }) => ({
    r: point.x,
    s,
    y_parity: !point.hasEvenY(),
    key_x: x,
    key_y: y,
  });
  const victimKey = Point.fromAffine(victim);
  let [forgery, error] = [];
  for (let factor = 2n; !forgery; factor += 1n) {
    const point = Point.BASE.add(victimKey.multiply(factor));
    const s = divide(point.x, factor);
    if (s > ORDER / 2n) continue;
    forgery = signature(point, s, victim);
    error = mod(divide(hash, s) - 1n);
  }
  for (let nonce = 2n; ; nonce += 1n) {
    const point = Point.BASE.multiply(nonce);
    const s = divide(hash + point.x * fromBytes(attacker.secret), nonce - error);
    if (s > ORDER / 2n) continue;
    const cover = signature(point, s, attacker);
    const sum = [forgery, cover].reduce((sum, { r, s, y_parity, key_x: x, key_y: y }) => {
      const expected = Point.fromHex(Buffer.concat([Uint8Array.of(y_parity ? 3 : 2), be(r)]));
      const key = Point.fromAffine({ x, y }).multiply(divide(r, s));
      return sum.add(Point.BASE.multiply(divide(hash, s))).add(key).subtract(expected);
    }, Point.ZERO);
    assert.ok(sum.equals(Point.ZERO), 'the errors cancel');
    return [forgery, cover];
  }
}
