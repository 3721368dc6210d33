// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deploy} from "../script/Deploy.s.sol";
import {Config, Contracts, Deployment} from "../script/Deployment.sol";
import {vm} from "../script/Vm.sol";

contract DeployTest {
    Deploy private script = new Deploy();

    function test_the_example_deploys() public {
        Config memory config = example();
        script.check(config);
        vm.warp(config.handOver);
        Contracts memory c = Deployment.deploy(config);
        vm.assertEq(c.client.genesis(), config.genesis);
        vm.assertEq(uint256(c.client.expiry()), 5 days);
        vm.assertEq(uint256(c.client.handOver()), config.handOver);
        (uint64 id, uint32 length, bytes32 root) = c.client.next();
        vm.assertEq(abi.encode(id, length, root), abi.encode(config.next));
        vm.assertEq(c.token.mintable(), 1_000_000e18);
        vm.assertEq(c.token.guardian(), config.guardian);
        vm.assertEq(c.timelock.getMinDelay(), 2 days);
        vm.assertTrue(c.timelock.hasRole(c.timelock.PROPOSER_ROLE(), config.proposers[0]));
        string memory described = script.describe(c);
        vm.assertEq(vm.parseJsonAddress(described, ".token"), address(c.token));
        vm.assertEq(vm.parseJsonBytes32(described, ".tokenLane"), c.token.lane());
        vm.assertEq(vm.parseJsonBytes32(described, ".registryLane"), c.registry.lane());
    }

    function test_a_public_chain_gets_a_delay_of_two_days_at_least() public {
        Config memory config = example();
        config.delay = 2 days - 1;
        vm.expectRevert(abi.encodeWithSelector(Deploy.DelayTooShort.selector, 2 days - 1));
        script.check(config);
    }

    function test_somebody_can_propose_execute_and_halt() public {
        Config memory config = example();
        config.guardian = address(0);
        vm.expectRevert(Deploy.NobodyInCharge.selector);
        script.check(config);
        config = example();
        config.proposers = new address[](0);
        vm.expectRevert(Deploy.NobodyInCharge.selector);
        script.check(config);
        config = example();
        config.executors = new address[](0);
        vm.expectRevert(Deploy.NobodyInCharge.selector);
        script.check(config);
    }

    function test_something_can_be_minted() public {
        Config memory config = example();
        config.mintLimit = 0;
        vm.expectRevert(Deploy.NoMintLimit.selector);
        script.check(config);
    }

    function example() private view returns (Config memory) {
        return script.read(vm.readFile(string.concat(vm.projectRoot(), "/deployments/example/config.json")));
    }
}
