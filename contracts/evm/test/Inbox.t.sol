// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import "../src/Errors.sol";
import {BeefyClient} from "../src/BeefyClient.sol";
import {CiroToken} from "../src/CiroToken.sol";
import {Inbox} from "../src/Inbox.sol";
import {Leaf} from "../src/lib/Leaf.sol";
import {Message} from "../src/lib/Message.sol";
import {vm} from "../script/Vm.sol";
import {Test} from "./support/Test.sol";

/// An inbox that hands control to others while it carries a message out.
contract Calling is Inbox {
    uint256 public carriedOut;

    constructor(BeefyClient client_) Inbox(client_) {}

    function _wordsOf(uint256) internal pure override returns (uint256) {
        return 4;
    }

    function _carryOut(Leaf memory, uint256, bytes32[] calldata words) internal override {
        carriedOut++;
        Redelivery(address(uint160(uint256(words[3])))).called();
    }
}

/// Delivers a message again while it is being carried out.
contract Redelivery {
    bytes private _call;
    bytes public refusal;

    function prepare(bytes calldata call) external {
        _call = call;
    }

    function called() external {
        (, refusal) = msg.sender.call(_call);
    }
}

contract InboxTest is Test {
    bytes32 private lane;

    function setUp() public override {
        super.setUp();
        lane = c.token.lane();
        ciro.author(new bytes32[][](0), new bytes32[][](0));
    }

    function test_a_lane_is_certified_by_genesis_chain_and_proxy() public view {
        bytes memory encoded = abi.encodePacked(
            "ciro/lane/1", ciro.GENESIS(), uint8(0), block.chainid, uint256(uint160(address(c.token)))
        );
        vm.assertEq(c.token.lane(), keccak256(encoded));
        vm.assertTrue(c.token.lane() != c.registry.lane());
    }

    function test_a_message_is_taken_once() public {
        uint32 parent = send(mint(0));
        vm.assertFalse(c.token.taken(0));
        deliver(parent, 0);
        vm.assertTrue(c.token.taken(0));
        vm.assertEq(c.token.balanceOf(ALICE), 1 ether);
        deliverNot(parent, ciro.message(parent, 0), NonceTaken.selector);
        vm.assertEq(c.token.balanceOf(ALICE), 1 ether);
    }

    function test_a_message_is_taken_once_from_whatever_block() public {
        uint32 first = send(mint(0));
        uint32 second = send(mint(0));
        deliver(second, 0);
        deliverNot(first, ciro.message(first, 0), NonceTaken.selector);
    }

    function test_a_message_is_taken_once_within_a_delivery() public {
        uint32 parent = send(mint(0));
        Message[] memory twice = new Message[](2);
        (twice[0], twice[1]) = (ciro.message(parent, 0), ciro.message(parent, 0));
        deliverNot(parent, twice, NonceTaken.selector);
        vm.assertFalse(c.token.taken(0));
    }

    function test_messages_are_taken_in_any_order() public {
        bytes32[][] memory messages = new bytes32[][](3);
        for (uint256 i = 0; i < 3; i++) {
            messages[i] = mint(i);
        }
        uint32 first = send(messages);
        uint32 second = send(mint(300));
        deliver(second, 0);
        deliver(first, 2);
        deliver(first, 0);
        deliver(first, 1);
        vm.assertEq(c.token.balanceOf(ALICE), 4 ether);
        vm.assertFalse(c.token.taken(3));
        vm.assertTrue(c.token.taken(300));
    }

    function test_messages_of_one_block_are_taken_at_once() public {
        bytes32[][] memory messages = new bytes32[][](50);
        for (uint256 i = 0; i < 50; i++) {
            messages[i] = mint(i);
        }
        uint32 parent = send(messages);
        c.token.deliver(parent + 1, ciro.leaf(parent), ciro.proof(parent, parent + 1), ciro.messages(parent));
        vm.assertEq(c.token.balanceOf(ALICE), 50 ether);
    }

    function test_a_message_of_an_older_block_is_proven_in_a_newer_root() public {
        uint32 parent = send(mint(0));
        for (uint256 i = 0; i < 5; i++) {
            ciro.author(new bytes32[][](0), new bytes32[][](0));
        }
        submit(ciro.commit());
        uint32 newest = ciro.height();
        c.token.deliver(newest, ciro.leaf(parent), ciro.proof(parent, newest), only(ciro.message(parent, 0)));
        vm.assertTrue(c.token.taken(0));
    }

    function test_a_message_that_cannot_be_carried_out_keeps_no_other_back() public {
        bytes32[][] memory messages = new bytes32[][](2);
        messages[0] = ciro.mint(lane, 0, address(0), 1 ether, START + 1 days, ACCOUNT);
        messages[1] = mint(1);
        uint32 parent = send(messages);
        deliverNot(parent, ciro.message(parent, 0), CiroToken.BadRecipient.selector);
        deliver(parent, 1);
        vm.assertFalse(c.token.taken(0));
        vm.assertTrue(c.token.taken(1));
    }

    function test_a_message_of_another_lane_is_refused() public {
        bytes32[] memory words = mint(0);
        words[0] = c.registry.lane();
        uint32 parent = send(words);
        deliverNot(parent, ciro.message(parent, 0), WrongLane.selector);
    }

    function test_a_fork_of_the_chain_is_another_lane() public {
        uint32 parent = send(mint(0));
        vm.chainId(block.chainid + 1);
        vm.assertTrue(c.token.lane() != lane);
        deliverNot(parent, ciro.message(parent, 0), WrongLane.selector);
    }

    function test_another_deployment_is_another_lane() public {
        uint32 parent = send(mint(0));
        bytes memory call = abi.encodeCall(CiroToken.initialize, (address(this), GUARDIAN, MINT_LIMIT));
        c.token = CiroToken(address(new ERC1967Proxy(address(new CiroToken(c.client)), call)));
        deliverNot(parent, ciro.message(parent, 0), WrongLane.selector);
    }

    function test_a_kind_for_another_contract_is_refused() public {
        uint32 parent = send(ciro.resultMessage(lane, 0, 7));
        deliverNot(parent, ciro.message(parent, 0), UnknownKind.selector);
        bytes32[] memory words = mint(0);
        (words[0], words[2]) = (lane, bytes32(uint256(1) << 64 | 1));
        parent = send(words);
        deliverNot(parent, ciro.message(parent, 0), UnknownKind.selector);
        words[0] = c.registry.lane();
        words[2] = bytes32(uint256(1));
        parent = send(words);
        c.token = CiroToken(address(c.registry));
        deliverNot(parent, ciro.message(parent, 0), UnknownKind.selector);
    }

    function test_a_kind_has_exactly_its_words() public {
        for (uint256 length = 3; length < 10; length++) {
            if (length == 7) continue;
            uint32 parent = send(ciro.head(lane, 0, 1, length));
            deliverNot(parent, ciro.message(parent, 0), WrongWordCount.selector);
        }
    }

    /// Two words are as long as an inner node.
    function test_less_than_three_words_are_refused_whatever_the_path() public {
        for (uint256 length = 0; length < 3; length++) {
            bytes32[] memory words = new bytes32[](length);
            uint32 parent = send(words);
            deliverNot(parent, ciro.message(parent, 0), WrongWordCount.selector);
        }
    }

    function test_a_nonce_is_a_number_of_64_bits() public {
        bytes32[] memory words = mint(0);
        words[1] = bytes32(uint256(1) << 64);
        uint32 parent = send(words);
        deliverNot(parent, ciro.message(parent, 0), ValueOutOfRange.selector);
    }

    function test_a_path_is_exact() public {
        bytes32[][] memory messages = new bytes32[][](5);
        for (uint256 i = 0; i < 5; i++) {
            messages[i] = mint(i);
        }
        uint32 parent = send(messages);
        Message memory m = ciro.message(parent, 1);
        vm.assertEq(m.path.length, 3);
        m.index = 5;
        deliverNot(parent, m, IndexOutOfRange.selector);
        m.index = 1;
        m.path = new bytes32[](2);
        deliverNot(parent, m, WrongPathLength.selector);
        m.path = new bytes32[](0);
        deliverNot(parent, m, WrongPathLength.selector);
        m.path = new bytes32[](4);
        deliverNot(parent, m, WrongPathLength.selector);
        m.path = new bytes32[](3);
        deliverNot(parent, m, WrongPath.selector);
        m = ciro.message(parent, 1);
        m.words[4] = bytes32(uint256(2 ether));
        deliverNot(parent, m, WrongPath.selector);
        m = ciro.message(parent, 4);
        vm.assertEq(m.path.length, 1);
        m.index = 0;
        deliverNot(parent, m, WrongPathLength.selector);
        m.count = 2;
        deliverNot(parent, m, WrongPath.selector);
    }

    function test_a_block_without_messages_proves_none() public {
        uint32 parent = send(new bytes32[][](0));
        deliverNot(parent, Message(0, 0, new bytes32[](0), mint(0)), IndexOutOfRange.selector);
        deliverNot(parent, Message(0, 1, new bytes32[](0), mint(0)), WrongPath.selector);
    }

    function test_a_message_is_not_proven_by_another_blocks_leaf() public {
        uint32 first = send(mint(0));
        uint32 second = send(mint(1));
        deliverNot(second, ciro.message(first, 0), WrongPath.selector);
    }

    function test_what_is_under_way_is_delivered_after_the_client_has_expired() public {
        uint32 parent = send(mint(0));
        vm.warp(START + 6 days);
        deliver(parent, 0);
        vm.assertTrue(c.token.taken(0));
    }

    function test_a_halted_client_or_inbox_delivers_nothing() public {
        uint32 parent = send(mint(0));
        vm.prank(GUARDIAN);
        c.client.halt();
        deliverNot(parent, ciro.message(parent, 0), Halted.selector);
        vm.prank(address(c.timelock));
        c.client.resume();
        vm.prank(GUARDIAN);
        c.token.halt();
        deliverNot(parent, ciro.message(parent, 0), Halted.selector);
        vm.prank(address(c.timelock));
        c.token.resume();
        deliver(parent, 0);
    }

    function test_a_message_is_not_taken_again_while_it_is_carried_out() public {
        Calling inbox = new Calling(c.client);
        Redelivery redelivery = new Redelivery();
        bytes32[] memory words = ciro.head(inbox.lane(), 0, 1, 4);
        words[3] = bytes32(uint256(uint160(address(redelivery))));
        uint32 parent = send(words);
        bytes memory call = abi.encodeCall(
            Inbox.deliver,
            (parent + 1, ciro.leaf(parent), ciro.proof(parent, parent + 1), only(ciro.message(parent, 0)))
        );
        redelivery.prepare(call);
        (bool done,) = address(inbox).call(call);
        vm.assertTrue(done);
        vm.assertEq(inbox.carriedOut(), 1);
        vm.assertEq(redelivery.refusal(), abi.encodePacked(NonceTaken.selector));
    }

    function mint(uint256 nonce) private view returns (bytes32[] memory) {
        return ciro.mint(lane, nonce, ALICE, 1 ether, START + 10 days, ACCOUNT);
    }

    function deliver(uint32 parent, uint256 index) private {
        Message[] memory one = only(ciro.message(parent, index));
        c.token.deliver(parent + 1, ciro.leaf(parent), ciro.proof(parent, parent + 1), one);
    }

    function deliverNot(uint32 parent, Message memory message, bytes4 why) private {
        deliverNot(parent, only(message), why);
    }

    function deliverNot(uint32 parent, Message[] memory messages, bytes4 why) private {
        bytes memory leaf = ciro.leaf(parent);
        bytes32[] memory proof = ciro.proof(parent, parent + 1);
        vm.expectRevert(why);
        c.token.deliver(parent + 1, leaf, proof, messages);
    }
}
