// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {BeefyClient} from "../src/BeefyClient.sol";
import {CiroToken} from "../src/CiroToken.sol";
import {ResultRegistry} from "../src/ResultRegistry.sol";
import {ValidatorSet} from "../src/lib/Leaf.sol";

/// What a chain's contracts are deployed with. Times are in seconds, amounts in plancks.
struct Config {
    /// Hash of Ciro's first block.
    bytes32 genesis;
    ValidatorSet current;
    ValidatorSet next;
    /// When the current set came into office, Unix seconds.
    uint64 handOver;
    uint64 expiry;
    /// How long an upgrade waits between its proposal and its execution.
    uint256 delay;
    address[] proposers;
    /// Zero: anyone executes what was proposed and has waited.
    address[] executors;
    address guardian;
    uint128 mintLimit;
}

/// A chain's contracts; all but the timelock are proxies that it owns.
struct Contracts {
    TimelockController timelock;
    BeefyClient client;
    ResultRegistry registry;
    CiroToken token;
}

library Deployment {
    function deploy(Config memory config) internal returns (Contracts memory c) {
        c.timelock = new TimelockController(config.delay, config.proposers, config.executors, address(0));
        address owner = address(c.timelock);
        c.client = BeefyClient(
            _proxy(
                address(new BeefyClient(config.genesis, config.expiry)),
                abi.encodeCall(
                    BeefyClient.initialize, (owner, config.guardian, config.current, config.next, config.handOver)
                )
            )
        );
        c.registry = ResultRegistry(
            _proxy(
                address(new ResultRegistry(c.client)),
                abi.encodeCall(ResultRegistry.initialize, (owner, config.guardian))
            )
        );
        c.token = CiroToken(
            _proxy(
                address(new CiroToken(c.client)),
                abi.encodeCall(CiroToken.initialize, (owner, config.guardian, config.mintLimit))
            )
        );
    }

    function _proxy(address implementation, bytes memory initialization) private returns (address) {
        return address(new ERC1967Proxy(implementation, initialization));
    }
}
