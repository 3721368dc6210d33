#!/usr/bin/env bash
# Measures what Ciro's contracts cost on an EVM and on a Starknet devnet, and writes contracts/COSTS.md.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "bench-bridge: measuring on the EVM" >&2
evm=$(contracts/evm/gas.sh)
echo "bench-bridge: measuring on a Starknet devnet" >&2
contracts/starknet/test.sh tests/costs.test.mjs >&2
EVM=$evm node - >contracts/COSTS.md <<'PAGE'
const evm = require("./contracts/evm/snapshots/gas.json");
const starknet = require("./contracts/starknet/target/costs.json");
const whole = (x) => Math.round(x).toLocaleString("en");
const millions = (x) => (x / 1e6).toFixed(1);
const percent = (x) => `${Math.round(100 * x)} %`;
const saved = (single, batch, count) => 1 - batch / count / single;
const row = (...cells) => `| ${cells.join(" | ")} |`;
const table = (head, ...rows) => [row(...head), row(...head.map(() => "---")), ...rows.map((cells) => row(...cells))].join("\n");

const updates = Object.entries(starknet.updates).map(([size, { signatures, update, handover }]) => [
    size, signatures, millions(update), millions(handover), percent(handover / starknet.limit),
]);
const single = [["message: mint", "mint"], ["result by its leaf", "result"], ["submission of a job", "submission"],
    ["payment of a proven job", "reward"], ["slash", "slash"]].map(([name, key]) => [
    name, millions(starknet[key].single), millions(starknet[key].batched), percent(starknet[key].savings),
]);
// The document that the project comes from claims these savings.
const claims = [
    ["proof verification", "87 %", saved(evm["1 result by leaf"], evm["50 result by leaf"], 50), starknet.result.savings],
    ["reward distribution", "88 %", saved(evm["1 mint"], evm["50 mint"], 50), starknet.reward.savings],
    ["job submission", "40 %", undefined, starknet.submission.savings],
    ["slashing", "33 %", undefined, starknet.slash.savings],
];

console.log(`# What the contracts cost

\`make bench-bridge\` measures this and writes this page: real transactions on forge's EVM and on starknet-devnet. Gas is not
noisy: these figures do not depend on the machine.

## EVM

Whole transactions with what their data costs, storage that nobody has touched in them before, an MMR of ten million leaves.
*Unpacked* is only the data that an update would have in plain ABI lists.

${process.env.EVM}

For comparison, Snowbridge's contracts on Ethereum, which sample signatures of a larger set, by its own publications: 1,595,534 gas for
an update in three transactions (\`.gas-snapshot\`), 1.75 to 1.96 million in one (pull request 1462), 2.34 million for all
signatures of 200 validators (pull request 464). Per signature that is ${whole(2340000 / 134)} there, and
${whole((evm["update, current set of 64 validators"] - evm["update, current set of 4 validators"]) / 40)} here.

## Starknet

In millions of L2 gas, of which a transaction may use ${whole(starknet.limit / 1e6)}.

${table(["validators", "signatures", "update", "hand-over", "of the limit"], ...updates)}

${table(["call", "alone", "each of 10", "saved"], ...single)}

Settling a worker's stake after a slash takes ${millions(starknet.settle)}.

## What batches save

Beside what the project's founding document claims, in dollars of a network that it does not name. Met are the claims that the
measured saving reaches.

${table(["operation", "claimed", "EVM, 50 at once", "Starknet, 10 at once", "met"], ...claims.map(([name, claim, onEvm, onStarknet]) => [
    name, claim, onEvm === undefined ? "no such call" : percent(onEvm), percent(onStarknet),
    Math.max(onEvm ?? 0, onStarknet) >= parseInt(claim) / 100 ? "yes" : "no",
]))}`);
PAGE
echo "bench-bridge: wrote contracts/COSTS.md" >&2
