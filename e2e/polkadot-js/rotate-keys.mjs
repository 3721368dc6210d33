// New session keys for a validator: its node makes and keeps them, and its account sets them on the chain.
//
//     node rotate-keys.mjs ws://127.0.0.1:9944 FILE
//
// FILE holds the secret of the validator's account: a phrase or 0x and the seed. The node must allow unsafe RPC, as it
// does to those on its own machine. The keys are used from the session after the next one on.

import fs from 'node:fs';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { u8aToHex } from '@polkadot/util';

const [url, file] = process.argv.slice(2);
const account = new Keyring({ type: 'sr25519' }).addFromUri(fs.readFileSync(file, 'utf8').trim());
const provider = new WsProvider(url);
const api = await ApiPromise.create({ provider, noInitWarn: true });

// The proof is the keys' signature under the account, so that nobody can set the keys of another validator.
const { keys, proof } = await provider.send('author_rotateKeysWithOwner', [u8aToHex(account.publicKey)]);
const events = await new Promise((resolve, reject) => {
  api.tx.session
    .setKeys(keys, proof)
    .signAndSend(account, (result) => {
      if (result.isFinalized) resolve(result.events);
      else if (result.isError) reject(new Error(`the node dropped the transaction: ${result.status}`));
    })
    .catch(reject);
});
if (events.some(({ event }) => api.events.system.ExtrinsicFailed.is(event))) {
  throw new Error('the chain refused the keys: is this the account of a validator, and has it funds?');
}
console.log(`${account.address} has set ${keys}`);
await api.disconnect();
