// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ValidatorSet} from "../src/lib/Leaf.sol";
import {Config, Contracts, Deployment} from "./Deployment.sol";
import {vm} from "./Vm.sol";

/// @title The deployment to a public chain
/// @notice Reads `deployments/$NETWORK/config.json`, deploys, and writes the addresses and the lanes to open on Ciro to
/// `deployments/$NETWORK/contracts.json`:
///
///     NETWORK=example forge script script/Deploy.s.sol --rpc-url URL --broadcast ...
contract Deploy {
    uint256 public constant MIN_DELAY = 2 days;

    /// Holders must have two days at least to leave before an upgrade.
    error DelayTooShort(uint256 delay);
    /// Nobody could propose an upgrade, or nobody could halt.
    error NobodyInCharge();
    /// Nothing could ever be minted.
    error NoMintLimit();

    function run() external {
        string memory folder = string.concat(vm.projectRoot(), "/deployments/", vm.envString("NETWORK"));
        Config memory config = read(vm.readFile(string.concat(folder, "/config.json")));
        check(config);
        vm.startBroadcast();
        Contracts memory c = Deployment.deploy(config);
        vm.stopBroadcast();
        vm.writeJson(describe(c), string.concat(folder, "/contracts.json"));
    }

    function read(string memory json) public pure returns (Config memory config) {
        config.genesis = vm.parseJsonBytes32(json, ".genesis");
        config.current = _set(json, ".current");
        config.next = _set(json, ".next");
        config.handOver = uint64(vm.parseJsonUint(json, ".handOver"));
        config.expiry = uint64(vm.parseJsonUint(json, ".expiry"));
        config.delay = vm.parseJsonUint(json, ".delay");
        config.proposers = vm.parseJsonAddressArray(json, ".proposers");
        config.executors = vm.parseJsonAddressArray(json, ".executors");
        config.guardian = vm.parseJsonAddress(json, ".guardian");
        config.mintLimit = uint128(vm.parseJsonUint(json, ".mintLimit"));
    }

    /// @notice Reverts if a public chain should not be deployed to like that.
    function check(Config memory config) public pure {
        require(config.delay >= MIN_DELAY, DelayTooShort(config.delay));
        require(config.proposers.length > 0 && config.executors.length > 0, NobodyInCharge());
        require(config.guardian != address(0), NobodyInCharge());
        require(config.mintLimit > 0, NoMintLimit());
    }

    function describe(Contracts memory c) public returns (string memory) {
        string memory object = "contracts";
        vm.serializeAddress(object, "timelock", address(c.timelock));
        vm.serializeAddress(object, "client", address(c.client));
        vm.serializeAddress(object, "registry", address(c.registry));
        vm.serializeAddress(object, "token", address(c.token));
        vm.serializeBytes32(object, "registryLane", c.registry.lane());
        return vm.serializeBytes32(object, "tokenLane", c.token.lane());
    }

    function _set(string memory json, string memory key) private pure returns (ValidatorSet memory) {
        return ValidatorSet({
            id: uint64(vm.parseJsonUint(json, string.concat(key, ".id"))),
            length: uint32(vm.parseJsonUint(json, string.concat(key, ".length"))),
            root: vm.parseJsonBytes32(json, string.concat(key, ".root"))
        });
    }
}
