// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../src/Errors.sol";
import {CiroToken} from "../src/CiroToken.sol";
import {Message} from "../src/lib/Message.sol";
import {vm} from "../script/Vm.sol";
import {Test} from "./support/Test.sol";

contract CiroTokenTest is Test {
    bytes32 private constant ELSEWHERE = keccak256("lane of a token on another chain");
    bytes32 private constant RECIPIENT = bytes32(uint256(0xB0B));

    bytes32 private lane;
    uint256 private nonce;

    event Sent(uint64 indexed nonce, bytes32[] words);
    event Transfer(address indexed from, address indexed to, uint256 amount);

    function setUp() public override {
        super.setUp();
        lane = c.token.lane();
        ciro.author(new bytes32[][](0), new bytes32[][](0));
    }

    function test_nothing_is_there_before_a_message_mints_it() public view {
        vm.assertEq(c.token.totalSupply(), 0);
        vm.assertEq(c.token.decimals(), 18);
        vm.assertEq(bytes(c.token.symbol()), "CIRO");
    }

    function test_a_mint_mints() public {
        uint32 parent = send(ciro.mint(lane, 0, ALICE, 5 ether, START, ACCOUNT));
        vm.expectEmit(address(c.token));
        emit Transfer(address(0), ALICE, 5 ether);
        deliver(parent);
        vm.assertEq(c.token.balanceOf(ALICE), 5 ether);
        vm.assertEq(c.token.totalSupply(), 5 ether);
        vm.assertEq(c.token.sent(), 0);
    }

    function test_an_expired_mint_goes_back() public {
        uint32 parent = send(ciro.mint(lane, 0, ALICE, 5 ether, START + 1 hours, ACCOUNT));
        vm.warp(START + 1 hours + 1);
        bytes32[] memory words = ciro.head(lane, 0, 102, 6);
        (words[3], words[4], words[5]) = (0, bytes32(uint256(5 ether)), ACCOUNT);
        vm.expectEmit(address(c.token));
        emit Sent(0, words);
        deliver(parent);
        vm.assertEq(c.token.totalSupply(), 0);
        vm.assertTrue(c.token.taken(0));
        vm.assertEq(c.token.sent(), 1);
        deliverNot(parent, NonceTaken.selector);
    }

    function test_a_mint_to_nobody_goes_back_when_it_expires() public {
        bytes32[] memory nobody = ciro.mint(lane, 0, address(0), 1, START, ACCOUNT);
        bytes32[] memory noAddress = ciro.mint(lane, 1, ALICE, 1, START, ACCOUNT);
        noAddress[3] |= bytes32(uint256(1) << 160);
        uint32 first = send(nobody);
        uint32 second = send(noAddress);
        deliverNot(first, CiroToken.BadRecipient.selector);
        deliverNot(second, ValueOutOfRange.selector);
        vm.warp(START + 1);
        deliver(first);
        deliver(second);
        vm.assertEq(c.token.sent(), 2);
    }

    function test_amounts_and_times_are_bounded() public {
        deliverNot(send(ciro.mint(lane, 0, ALICE, 1 << 128, START, ACCOUNT)), ValueOutOfRange.selector);
        deliverNot(send(ciro.mint(lane, 0, ALICE, 1, 1 << 64, ACCOUNT)), ValueOutOfRange.selector);
    }

    function test_bridge_burns_and_sends() public {
        give(ALICE, 5 ether);
        bytes32[] memory words = ciro.head(lane, 0, 101, 7);
        (words[3], words[4], words[5], words[6]) = (ELSEWHERE, RECIPIENT, bytes32(uint256(2 ether)), ACCOUNT);
        vm.expectEmit(address(c.token));
        emit Transfer(ALICE, address(0), 2 ether);
        vm.expectEmit(address(c.token));
        emit Sent(0, words);
        vm.prank(ALICE);
        vm.assertEq(c.token.bridge(ELSEWHERE, RECIPIENT, 2 ether, ACCOUNT), 0);
        vm.assertEq(c.token.balanceOf(ALICE), 3 ether);
        vm.assertEq(c.token.totalSupply(), 3 ether);
        vm.prank(ALICE);
        vm.assertEq(c.token.bridge(0, ACCOUNT, 3 ether, 0), 1);
        vm.assertEq(c.token.totalSupply(), 0);
    }

    function test_bridge_refuses_what_could_be_lost() public {
        give(ALICE, 5 ether);
        bridgeNot(ELSEWHERE, 0, 1, ACCOUNT, abi.encodePacked(CiroToken.BadRecipient.selector));
        bridgeNot(ELSEWHERE, RECIPIENT, 0, ACCOUNT, abi.encodePacked(CiroToken.BadAmount.selector));
        bridgeNot(ELSEWHERE, RECIPIENT, 1 << 128, ACCOUNT, abi.encodePacked(CiroToken.BadAmount.selector));
        bridgeNot(ELSEWHERE, RECIPIENT, 1, 0, abi.encodePacked(CiroToken.NoRefund.selector));
        bytes memory tooLittle =
            abi.encodeWithSignature("ERC20InsufficientBalance(address,uint256,uint256)", ALICE, 5 ether, 6 ether);
        bridgeNot(ELSEWHERE, RECIPIENT, 6 ether, ACCOUNT, tooLittle);
        vm.assertEq(c.token.sent(), 0);
    }

    function test_a_halted_token_neither_bridges_nor_mints_but_is_still_the_holders() public {
        give(ALICE, 5 ether);
        vm.prank(GUARDIAN);
        c.token.halt();
        bridgeNot(ELSEWHERE, RECIPIENT, 1, ACCOUNT, abi.encodePacked(Halted.selector));
        vm.prank(ALICE);
        c.token.transfer(address(this), 1 ether);
        vm.assertEq(c.token.balanceOf(address(this)), 1 ether);
    }

    function test_no_more_is_minted_in_a_window_than_its_limit() public {
        give(ALICE, MINT_LIMIT - 1);
        vm.assertEq(c.token.mintable(), 1);
        uint32 parent = send(ciro.mint(lane, nonce++, ALICE, 2, START + 2 days, ACCOUNT));
        deliverNot(parent, CiroToken.MintLimitReached.selector);
        vm.warp(START + 1);
        deliver(parent);
        vm.assertEq(c.token.mintable(), MINT_LIMIT / uint256(1 days) - 1);
        vm.warp(START + 2 days);
        vm.assertEq(c.token.mintable(), MINT_LIMIT);
    }

    function test_a_mint_above_the_limit_goes_back_when_it_expires() public {
        uint32 parent = send(ciro.mint(lane, 0, ALICE, uint256(MINT_LIMIT) + 1, START + 1 days, ACCOUNT));
        deliverNot(parent, CiroToken.MintLimitReached.selector);
        vm.warp(START + 1 days + 1);
        deliver(parent);
        vm.assertEq(c.token.sent(), 1);
    }

    function testFuzz_what_a_limit_lets_through_is_bounded(uint256 seed) public {
        uint256 through;
        uint256 passed;
        for (uint256 i = 0; i < 8; i++) {
            seed = uint256(keccak256(abi.encode(seed)));
            passed += (seed >> 128) % 6 hours;
            vm.warp(START + passed);
            uint256 amount = 1 + seed % MINT_LIMIT;
            uint256 before = c.token.mintable();
            uint32 parent = send(ciro.mint(lane, nonce++, ALICE, amount, START + 9 days, ACCOUNT));
            if (amount <= before) {
                deliver(parent);
                through += amount;
            } else {
                deliverNot(parent, CiroToken.MintLimitReached.selector);
            }
            vm.assertTrue(through <= MINT_LIMIT + uint256(MINT_LIMIT) * passed / 1 days);
        }
        vm.assertEq(c.token.totalSupply(), through);
    }

    function test_only_the_timelock_changes_the_limit() public {
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", address(this)));
        c.token.setMintLimit(1);
        vm.prank(address(c.timelock));
        c.token.setMintLimit(1);
        vm.assertEq(c.token.mintable(), 1);
        give(ALICE, 1);
        vm.assertEq(c.token.mintable(), 0);
    }

    function test_a_permit_is_an_approval_by_signature() public {
        uint256 key = uint256(keccak256("a holder"));
        address holder = vm.addr(key);
        bytes32 permit = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                holder,
                address(this),
                3,
                0,
                START
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", c.token.DOMAIN_SEPARATOR(), permit));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        c.token.permit(holder, address(this), 3, START, v, r, s);
        vm.assertEq(c.token.allowance(holder, address(this)), 3);
    }

    function give(address to, uint256 amount) private {
        deliver(send(ciro.mint(lane, nonce++, to, amount, START + 1 days, ACCOUNT)));
    }

    function deliver(uint32 parent) private {
        c.token.deliver(parent + 1, ciro.leaf(parent), ciro.proof(parent, parent + 1), only(ciro.message(parent, 0)));
    }

    function deliverNot(uint32 parent, bytes4 why) private {
        Message[] memory messages = only(ciro.message(parent, 0));
        (bytes memory leaf, bytes32[] memory proof) = (ciro.leaf(parent), ciro.proof(parent, parent + 1));
        vm.expectRevert(why);
        c.token.deliver(parent + 1, leaf, proof, messages);
    }

    function bridgeNot(bytes32 lane_, bytes32 recipient, uint256 amount, bytes32 refund, bytes memory why) private {
        vm.expectRevert(why);
        vm.prank(ALICE);
        c.token.bridge(lane_, recipient, amount, refund);
    }
}
