#!/usr/bin/env bash
# All tests of the EVM contracts; after the first call without the network. Arguments go to `forge test`.
set -euo pipefail
cd "$(dirname "$0")"

./setup.sh
bin/forge fmt --check
exec bin/forge test "$@"
