// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../src/Errors.sol";
import {ProvenResult, ResultRegistry} from "../src/ResultRegistry.sol";
import {Message} from "../src/lib/Message.sol";
import {vm} from "../script/Vm.sol";
import {Test} from "./support/Test.sol";

contract ResultRegistryTest is Test {
    event ResultVerified(
        uint64 indexed job, bytes32 indexed model, bytes32 inputCommitment, bytes32 outputHash, uint32 blockNumber
    );

    function setUp() public override {
        super.setUp();
        ciro.author(new bytes32[][](0), new bytes32[][](0));
    }

    function test_a_result_comes_as_a_message() public {
        uint32 parent = send(ciro.resultMessage(c.registry.lane(), 0, 7));
        bytes32[] memory r = ciro.resultLeaf(7);
        vm.assertFalse(c.registry.isVerified(7));
        vm.expectEmit(address(c.registry));
        emit ResultVerified(7, r[2], r[3], r[4], parent);
        deliver(parent);
        assertKnown(7, parent);
    }

    function test_a_result_is_proven_from_its_blocks_tree() public {
        uint32 parent = verify(7, 1);
        prove(parent, ciro.results(parent));
        assertKnown(7, parent);
        vm.assertFalse(c.registry.isVerified(8));
    }

    function test_results_of_one_block_are_proven_at_once() public {
        uint32 parent = verify(100, 50);
        prove(parent, ciro.results(parent));
        for (uint64 job = 100; job < 150; job++) {
            assertKnown(job, parent);
        }
    }

    function test_a_result_that_is_known_changes_nothing() public {
        uint32 first = verify(7, 3);
        uint32 second = verify(7, 3);
        prove(second, ciro.results(second));
        prove(first, ciro.results(first));
        assertKnown(7, second);
        uint32 third = send(ciro.resultMessage(c.registry.lane(), 0, 7));
        deliver(third);
        assertKnown(7, second);
    }

    function test_another_result_of_a_known_job_is_refused() public {
        uint32 parent = verify(7, 1);
        prove(parent, ciro.results(parent));
        bytes32[] memory words = ciro.resultMessage(c.registry.lane(), 0, 7);
        words[6] = keccak256("another output");
        uint32 other = send(words);
        Message[] memory messages = only(ciro.message(other, 0));
        (bytes memory leaf, bytes32[] memory proof) = (ciro.leaf(other), ciro.proof(other, other + 1));
        vm.expectRevert(abi.encodeWithSelector(ResultRegistry.OtherResult.selector, uint64(7)));
        c.registry.deliver(other + 1, leaf, proof, messages);
        assertKnown(7, parent);
    }

    function test_a_result_that_was_not_verified_is_refused() public {
        uint32 parent = verify(7, 5);
        ProvenResult[] memory one = new ProvenResult[](1);
        for (uint256 field = 0; field < 4; field++) {
            one[0] = ciro.result(parent, 1);
            if (field == 0) one[0].job = 9;
            if (field == 1) one[0].model = 0;
            if (field == 2) one[0].inputCommitment = 0;
            if (field == 3) one[0].outputHash = 0;
            proveNot(parent, one, WrongPath.selector);
        }
        one[0] = ciro.result(parent, 4);
        one[0].index = 3;
        proveNot(parent, one, WrongPathLength.selector);
        one[0].index = 5;
        proveNot(parent, one, IndexOutOfRange.selector);
    }

    /// A message and a result are not each other's: they hang off different roots.
    function test_a_message_is_no_result_and_a_result_no_message() public {
        uint32 sent = send(ciro.resultLeaf(7));
        ProvenResult[] memory one = new ProvenResult[](1);
        bytes32[] memory r = ciro.resultLeaf(7);
        one[0] = ProvenResult(7, r[2], r[3], r[4], 0, 1, new bytes32[](0));
        proveNot(sent, one, WrongPath.selector);
        uint32 verified = verify(7, 1);
        Message[] memory messages = only(Message(0, 1, new bytes32[](0), r));
        (bytes memory leaf, bytes32[] memory proof) = (ciro.leaf(verified), ciro.proof(verified, verified + 1));
        vm.expectRevert(WrongPath.selector);
        c.registry.deliver(verified + 1, leaf, proof, messages);
    }

    function test_a_halted_client_or_registry_proves_nothing() public {
        uint32 parent = verify(7, 1);
        vm.prank(GUARDIAN);
        c.client.halt();
        proveNot(parent, ciro.results(parent), Halted.selector);
        vm.prank(address(c.timelock));
        c.client.resume();
        vm.prank(GUARDIAN);
        c.registry.halt();
        proveNot(parent, ciro.results(parent), Halted.selector);
    }

    function test_a_job_is_a_number_of_64_bits() public {
        bytes32[] memory words = ciro.resultMessage(c.registry.lane(), 0, 7);
        words[3] = bytes32(uint256(1) << 64 | 7);
        uint32 parent = send(words);
        Message[] memory messages = only(ciro.message(parent, 0));
        (bytes memory leaf, bytes32[] memory proof) = (ciro.leaf(parent), ciro.proof(parent, parent + 1));
        vm.expectRevert(ValueOutOfRange.selector);
        c.registry.deliver(parent + 1, leaf, proof, messages);
    }

    /// A block in which `count` jobs from `first` on were verified.
    function verify(uint64 first, uint64 count) private returns (uint32 parent) {
        bytes32[][] memory results = new bytes32[][](count);
        for (uint64 i = 0; i < count; i++) {
            results[i] = ciro.resultLeaf(first + i);
        }
        parent = ciro.author(new bytes32[][](0), results);
        submit(ciro.commit());
    }

    function deliver(uint32 parent) private {
        c.registry.deliver(parent + 1, ciro.leaf(parent), ciro.proof(parent, parent + 1), ciro.messages(parent));
    }

    function prove(uint32 parent, ProvenResult[] memory results) private {
        c.registry.proveResults(parent + 1, ciro.leaf(parent), ciro.proof(parent, parent + 1), results);
    }

    function proveNot(uint32 parent, ProvenResult[] memory results, bytes4 why) private {
        (bytes memory leaf, bytes32[] memory proof) = (ciro.leaf(parent), ciro.proof(parent, parent + 1));
        vm.expectRevert(why);
        c.registry.proveResults(parent + 1, leaf, proof, results);
    }

    function assertKnown(uint64 job, uint32 blockNumber) private view {
        (bytes32 model, bytes32 inputCommitment, bytes32 outputHash, uint32 known) = c.registry.result(job);
        bytes32[] memory r = ciro.resultLeaf(job);
        vm.assertTrue(c.registry.isVerified(job));
        vm.assertEq(model, r[2]);
        vm.assertEq(inputCommitment, r[3]);
        vm.assertEq(outputHash, r[4]);
        vm.assertEq(known, blockNumber);
    }
}
