// Reproducible randomness for property tests.

/** A generator seeded by SEED, or by the time; the seed is printed so that a failure can be repeated. */
export function random(name) {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  console.log(`${name}: SEED=${seed}`);
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(next() * limit);
  return {
    below,
    pick: (items) => items[below(items.length)],
    /** A number from 1 to `limit`, small ones as likely as large ones. */
    amount: (limit) => 1n + (BigInt(below(2 ** 30)) * BigInt(limit)) / BigInt(2 ** 30) / 10n ** BigInt(below(12)),
  };
}
