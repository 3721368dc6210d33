// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Commitment} from "../../src/BeefyClient.sol";
import {Message} from "../../src/lib/Message.sol";
import {Config, Contracts, Deployment} from "../../script/Deployment.sol";
import {vm} from "../../script/Vm.sol";
import {Ciro, Submission} from "./Ciro.sol";

/// @notice A Ciro with four validators, and its contracts on this chain.
abstract contract Test {
    uint256 internal constant START = 1_800_000_000;
    uint128 internal constant MINT_LIMIT = 1_000_000e18;
    address internal constant PROPOSER = address(0xA11CE);
    address internal constant GUARDIAN = address(0x60A2D);
    address internal constant ALICE = address(0xA);
    bytes32 internal constant ACCOUNT = keccak256("an account on Ciro");

    Ciro internal ciro;
    Contracts internal c;

    function setUp() public virtual {
        vm.warp(START);
        ciro = new Ciro(4);
        c = Deployment.deploy(config());
    }

    function config() internal view returns (Config memory made) {
        made.genesis = ciro.GENESIS();
        made.current = ciro.validators(0).set;
        made.next = ciro.validators(1).set;
        made.handOver = uint64(START);
        made.expiry = 5 days;
        made.delay = 2 days;
        made.proposers = new address[](1);
        made.proposers[0] = PROPOSER;
        made.executors = new address[](1);
        made.guardian = GUARDIAN;
        made.mintLimit = MINT_LIMIT;
    }

    function submit(Submission memory s) internal {
        c.client.submit(s.commitment, s.validators, s.signers, s.signatures, s.leaf, s.proof);
    }

    function refused(Submission memory s, bytes4 why) internal {
        vm.expectRevert(why);
        submit(s);
    }

    /// A block with these messages, and one more whose commitment proves it. Returns the number of the first.
    function send(bytes32[][] memory messages) internal returns (uint32 parent) {
        parent = ciro.author(messages, new bytes32[][](0));
        submit(ciro.commit());
    }

    function send(bytes32[] memory words) internal returns (uint32) {
        return send(list(words));
    }

    function list(bytes32[] memory words) internal pure returns (bytes32[][] memory lists) {
        lists = new bytes32[][](1);
        lists[0] = words;
    }

    function only(Message memory message) internal pure returns (Message[] memory messages) {
        messages = new Message[](1);
        messages[0] = message;
    }

    function part(bytes memory b, uint256 start, uint256 length) internal pure returns (bytes memory cut) {
        cut = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            cut[i] = b[start + i];
        }
    }

    function slice(bytes memory b, uint256 length) internal pure returns (bytes memory) {
        return part(b, 0, length);
    }
}
