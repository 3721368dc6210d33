// Contracts at addresses of one's choice. On Starknet an address follows from the code, so that the vectors cannot name
// those of real deployments; but a devnet can fork a network, and be told by what stands between them that a deployed
// contract is at another address.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { Devnet } from './devnet.mjs';

const hex = (number) => `0x${number.toString(16)}`;

/** Answers as the network of `devnet` does, with a copy of each contract at the address that `seats` maps to it. */
async function mirror(devnet, seats) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks));
    const { contract_address: address } = body.params ?? {};
    const contract = address && seats.get(BigInt(address));
    if (contract !== undefined) body.params.contract_address = hex(contract);
    const answer = await fetch(devnet.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    response.setHeader('content-type', 'application/json').end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Runs `use` with a fork of a devnet on which contracts also are at the addresses that `seats` maps to theirs. */
export async function withSeats(devnet, seats, use) {
  const server = await mirror(devnet, seats);
  try {
    const fork = await Devnet.start({ origin: `http://127.0.0.1:${server.address().port}/rpc` });
    try {
      return await use(fork);
    } finally {
      await fork.stop();
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
