#!/usr/bin/env bash
# Measures the gas of the EVM contracts and prints it as a table; the figures stay in snapshots/.
set -euo pipefail
cd "$(dirname "$0")"

./test.sh --match-contract GasTest >&2
node - <<'TABLE'
const gas = require("./snapshots/gas.json");
const bytes = require("./snapshots/bytes.json");
const row = (...cells) => console.log(`| ${cells.join(" | ")} |`);
const figure = (x) => (x === undefined ? "" : Math.round(x).toLocaleString("en"));

row("call", "gas", "gas for each", "bytes of data");
row("---", "---:", "---:", "---:");
const names = Object.keys(bytes).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
for (const name of names) {
    const items = Number(/^\d+/.exec(name)?.[0] ?? 1);
    row(name, figure(gas[name]), name in gas ? figure(gas[name] / items) : "", figure(bytes[name]));
}
TABLE
