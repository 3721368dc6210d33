// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {Handler} from "./support/Handler.sol";
import {Test} from "./support/Test.sol";

/// What holds after any sequence of sending, delivering, replaying, reordering, bridging, waiting and halting.
contract Invariants is Test {
    Handler private handler;

    function setUp() public override {
        super.setUp();
        handler = new Handler(ciro, c);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_the_supply_is_what_was_minted_less_what_was_burned() external view {
        vm.assertEq(c.token.totalSupply(), handler.minted() - handler.burned());
    }

    /// On Ciro the same amount is locked as exists here or is on its way here: nothing is made or lost in between.
    function invariant_what_ciro_has_locked_is_here_or_on_its_way() external view {
        vm.assertEq(handler.locked(), c.token.totalSupply() + handler.inFlight());
    }

    function invariant_a_nonce_is_taken_when_its_message_was() external view {
        for (uint64 nonce = 0; nonce < handler.mints(); nonce++) {
            vm.assertTrue(c.token.taken(nonce) == handler.taken(nonce));
        }
        vm.assertFalse(c.token.taken(uint64(handler.mints())));
    }

    function invariant_ciro_has_received_all_that_was_sent() external view {
        vm.assertEq(c.token.sent(), handler.received());
    }

    function invariant_the_newest_block_is_the_last_one_accepted() external view {
        vm.assertEq(c.client.newest(), handler.newest());
        vm.assertTrue(handler.newest() == 0 || c.client.roots(handler.newest()) != 0);
    }

    /// The invariants say something only if all of this happens on the way.
    function test_a_long_sequence_reaches_everything() external {
        uint256 seed = uint256(keccak256("a sequence"));
        for (uint256 i = 0; i < 500; i++) {
            seed = uint256(keccak256(abi.encode(seed)));
            step(seed % 16, seed >> 8);
        }
        string[6] memory all = ["delivered", "refused", "returned", "together", "bridged", "handed over"];
        for (uint256 i = 0; i < 6; i++) {
            vm.assertTrue(handler.counts(bytes32(bytes(all[i]))) > 0, all[i]);
        }
        this.invariant_the_supply_is_what_was_minted_less_what_was_burned();
        this.invariant_what_ciro_has_locked_is_here_or_on_its_way();
    }

    function step(uint256 kind, uint256 seed) private {
        if (kind < 4) return handler.send(seed);
        if (kind < 8) return handler.deliver(seed);
        if (kind < 10) return handler.deliverAll(seed);
        if (kind < 12) return handler.bridge(seed);
        if (kind < 13) return handler.wait(seed);
        if (kind < 14) return handler.handOver();
        if (kind < 15) return handler.resubmit();
        handler.haltOrResume(seed);
    }
}
