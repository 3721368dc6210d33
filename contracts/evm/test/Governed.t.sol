// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {BeefyClient} from "../src/BeefyClient.sol";
import {CiroToken} from "../src/CiroToken.sol";
import {Governed} from "../src/Governed.sol";
import {ValidatorSet} from "../src/lib/Leaf.sol";
import {vm} from "../script/Vm.sol";
import {Test} from "./support/Test.sol";

/// What a token may be upgraded to.
contract NextToken is CiroToken {
    constructor(BeefyClient client_) CiroToken(client_) {}

    function version() external pure returns (uint256) {
        return 2;
    }
}

contract GovernedTest is Test {
    event HaltedBy(address account);

    function test_the_timelock_owns_everything_and_nobody_owns_it() public view {
        vm.assertEq(c.client.owner(), address(c.timelock));
        vm.assertEq(c.registry.owner(), address(c.timelock));
        vm.assertEq(c.token.owner(), address(c.timelock));
        bytes32 admin = c.timelock.DEFAULT_ADMIN_ROLE();
        vm.assertTrue(c.timelock.hasRole(admin, address(c.timelock)));
        vm.assertFalse(c.timelock.hasRole(admin, address(this)));
        vm.assertFalse(c.timelock.hasRole(admin, PROPOSER));
    }

    function test_an_upgrade_waits_for_the_timelock() public {
        ciro.author(new bytes32[][](0), new bytes32[][](0));
        uint32 parent = send(ciro.mint(c.token.lane(), 0, ALICE, 1 ether, START + 9 days, ACCOUNT));
        c.token.deliver(parent + 1, ciro.leaf(parent), ciro.proof(parent, parent + 1), ciro.messages(parent));
        bytes32 lane = c.token.lane();

        bytes memory upgrade = abi.encodeCall(c.token.upgradeToAndCall, (address(new NextToken(c.client)), ""));
        vm.prank(PROPOSER);
        c.timelock.schedule(address(c.token), 0, upgrade, 0, 0, 2 days);
        vm.warp(START + 2 days - 1);
        (bool early,) =
            address(c.timelock).call(abi.encodeCall(c.timelock.execute, (address(c.token), 0, upgrade, 0, 0)));
        vm.assertFalse(early);
        vm.warp(START + 2 days);
        c.timelock.execute(address(c.token), 0, upgrade, 0, 0);

        vm.assertEq(NextToken(address(c.token)).version(), 2);
        vm.assertEq(c.token.lane(), lane);
        vm.assertEq(c.token.balanceOf(ALICE), 1 ether);
        vm.assertTrue(c.token.taken(0));
        vm.assertEq(c.token.owner(), address(c.timelock));
    }

    function test_nobody_else_upgrades() public {
        address[3] memory others = [address(this), GUARDIAN, PROPOSER];
        Governed[3] memory all = [Governed(c.client), Governed(c.registry), Governed(c.token)];
        address implementation = address(new NextToken(c.client));
        for (uint256 i = 0; i < 9; i++) {
            address other = others[i % 3];
            vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", other));
            vm.prank(other);
            all[i / 3].upgradeToAndCall(implementation, "");
        }
    }

    function test_a_shorter_delay_than_the_timelocks_is_refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(TimelockController.TimelockInsufficientDelay.selector, 2 days - 1, 2 days)
        );
        vm.prank(PROPOSER);
        c.timelock.schedule(address(c.token), 0, "", 0, 0, 2 days - 1);
    }

    function test_the_guardian_halts_and_cannot_resume() public {
        Governed[3] memory all = [Governed(c.client), Governed(c.registry), Governed(c.token)];
        for (uint256 i = 0; i < 3; i++) {
            vm.expectRevert(Governed.NotGuardian.selector);
            all[i].halt();
            vm.expectEmit(address(all[i]));
            emit HaltedBy(GUARDIAN);
            vm.prank(GUARDIAN);
            all[i].halt();
            vm.assertTrue(all[i].halted());
            vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", GUARDIAN));
            vm.prank(GUARDIAN);
            all[i].resume();
            vm.prank(address(c.timelock));
            all[i].resume();
            vm.assertFalse(all[i].halted());
        }
    }

    function test_only_the_timelock_names_a_guardian() public {
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", GUARDIAN));
        vm.prank(GUARDIAN);
        c.token.setGuardian(ALICE);
        vm.prank(address(c.timelock));
        c.token.setGuardian(ALICE);
        vm.expectRevert(Governed.NotGuardian.selector);
        vm.prank(GUARDIAN);
        c.token.halt();
        vm.prank(ALICE);
        c.token.halt();
        vm.assertTrue(c.token.halted());
    }

    function test_nothing_is_initialized_twice_and_no_implementation_at_all() public {
        CiroToken implementation = new CiroToken(c.client);
        CiroToken[2] memory tokens = [c.token, implementation];
        for (uint256 i = 0; i < 2; i++) {
            vm.expectRevert(Initializable.InvalidInitialization.selector);
            tokens[i].initialize(address(this), address(this), 1);
        }
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        c.registry.initialize(address(this), address(this));
        ValidatorSet memory first = ciro.validators(0).set;
        ValidatorSet memory second = ciro.validators(1).set;
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        c.client.initialize(address(this), address(this), first, second, uint64(START));
    }
}
