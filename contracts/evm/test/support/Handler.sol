// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BeefyClient} from "../../src/BeefyClient.sol";
import {Message} from "../../src/lib/Message.sol";
import {Contracts} from "../../script/Deployment.sol";
import {vm, Vm} from "../../script/Vm.sol";
import {Ciro, Submission} from "./Ciro.sol";

/// @title Everything that can happen to a token, in any order
/// @notice Beside it, Ciro's books: what it locked for mints that it sent, and what came back by the token's messages.
/// A call that the books say must fail has to fail, and one that they say must work has to work.
contract Handler {
    struct Mint {
        uint32 parent;
        uint256 index;
        uint256 amount;
        uint256 expiry;
        bool taken;
    }

    bytes32 private constant ACCOUNT = keccak256("an account on Ciro");

    Ciro private immutable ciro;
    Contracts private c;
    Mint[] private _mints;
    address[] private _holders;
    Submission private _lastSubmission;

    /// Locked on Ciro: what may be minted, or is.
    uint256 public locked;
    /// Sent to be minted and not taken yet.
    uint256 public inFlight;
    /// Number of the token's messages that have arrived on Ciro.
    uint64 public received;
    uint256 public minted;
    uint256 public burned;
    uint32 public newest;
    /// How often what has happened.
    mapping(bytes32 what => uint256) public counts;

    constructor(Ciro ciro_, Contracts memory contracts) {
        (ciro, c) = (ciro_, contracts);
        for (uint160 i = 1; i <= 4; i++) {
            _holders.push(address(0xA000 + i));
        }
    }

    function mints() external view returns (uint256) {
        return _mints.length;
    }

    function taken(uint256 nonce) external view returns (bool) {
        return _mints[nonce].taken;
    }

    /// @notice Ciro locks amounts and sends them; the block's commitment is submitted.
    function send(uint256 seed) external {
        uint256 count = 1 + seed % 3;
        bytes32[][] memory messages = new bytes32[][](count);
        for (uint256 i = 0; i < count; i++) {
            uint256 s = uint256(keccak256(abi.encode(seed, i)));
            Mint memory m = Mint(ciro.height(), i, 1 + s % 400_000e18, block.timestamp + (s >> 128) % 2 days, false);
            address to = _holders[s % _holders.length];
            messages[i] = ciro.mint(c.token.lane(), _mints.length, to, m.amount, m.expiry, ACCOUNT);
            _mints.push(m);
            locked += m.amount;
            inFlight += m.amount;
        }
        ciro.author(messages, new bytes32[][](0));
        _submit(ciro.commit());
    }

    /// @notice One message, whether it was taken or not.
    function deliver(uint256 seed) external {
        if (_mints.length == 0) return;
        Mint storage m = _mints[seed % _mints.length];
        Message[] memory one = new Message[](1);
        one[0] = ciro.message(m.parent, m.index);
        bool possible = !m.taken && !c.token.halted() && !c.client.halted() && m.parent < newest
            && (block.timestamp > m.expiry || m.amount <= c.token.mintable());
        bool done = _deliver(m.parent, one);
        vm.assertTrue(done == possible, "one message");
        if (done) _took(m);
        counts[done ? bytes32("delivered") : bytes32("refused")]++;
    }

    /// @notice All messages of a block, backwards: all or none.
    function deliverAll(uint256 seed) external {
        if (_mints.length == 0) return;
        uint32 parent = _mints[seed % _mints.length].parent;
        Message[] memory forwards = ciro.messages(parent);
        Message[] memory backwards = new Message[](forwards.length);
        bool fresh = true;
        for (uint256 i = 0; i < forwards.length; i++) {
            backwards[forwards.length - 1 - i] = forwards[i];
            fresh = fresh && !_mint(forwards[i]).taken;
        }
        if (!_deliver(parent, backwards)) return;
        vm.assertTrue(fresh, "all or none");
        for (uint256 i = 0; i < forwards.length; i++) {
            _took(_mint(forwards[i]));
        }
        counts["together"]++;
    }

    /// @notice A holder burns a part, which comes back to Ciro or goes on to another chain.
    function bridge(uint256 seed) external {
        address holder = _holders[seed % _holders.length];
        uint256 amount = c.token.balanceOf(holder) / (1 + (seed >> 8) % 3);
        bytes32 destination = (seed >> 16) % 2 == 0 ? bytes32(0) : keccak256("elsewhere");
        bool possible = amount > 0 && !c.token.halted();
        vm.recordLogs();
        vm.prank(holder);
        (bool done,) = address(c.token).call(abi.encodeCall(c.token.bridge, (destination, ACCOUNT, amount, ACCOUNT)));
        vm.assertTrue(done == possible, "bridge");
        if (!done) return;
        burned += amount;
        _receive();
        counts["bridged"]++;
    }

    function transfer(uint256 seed) external {
        address from = _holders[seed % _holders.length];
        uint256 amount = c.token.balanceOf(from) / 2;
        vm.prank(from);
        c.token.transfer(_holders[(seed >> 8) % _holders.length], amount);
    }

    function wait(uint256 seed) external {
        vm.warp(block.timestamp + seed % 8 hours);
    }

    /// @notice The next validators take over.
    function handOver() external {
        ciro.rotate();
        ciro.author(new bytes32[][](0), new bytes32[][](0));
        Submission memory s = ciro.handOver();
        if (_submit(s)) {
            counts["handed over"]++;
        } else {
            ciro.rotateBack();
        }
    }

    /// @notice The last commitment again, to the same block.
    function resubmit() external {
        if (newest == 0) return;
        vm.assertFalse(_call(_lastSubmission));
    }

    function haltOrResume(uint256 seed) external {
        address owner = address(c.timelock);
        vm.startPrank(owner);
        if (seed % 8 == 0) c.token.halt();
        if (seed % 8 == 1) c.client.halt();
        if (seed % 8 >= 2) {
            c.token.resume();
            c.client.resume();
        }
        vm.stopPrank();
    }

    function _mint(Message memory m) private view returns (Mint storage) {
        return _mints[uint256(m.words[1])];
    }

    function _took(Mint storage m) private {
        m.taken = true;
        inFlight -= m.amount;
        if (block.timestamp <= m.expiry) {
            minted += m.amount;
        } else {
            counts["returned"]++;
        }
    }

    function _deliver(uint32 parent, Message[] memory messages) private returns (bool done) {
        uint32 blockNumber = newest > parent ? newest : parent + 1;
        bytes memory call = abi.encodeCall(
            c.token.deliver, (blockNumber, ciro.leaf(parent), ciro.proof(parent, blockNumber), messages)
        );
        vm.recordLogs();
        (done,) = address(c.token).call(call);
        if (done) _receive();
    }

    function _submit(Submission memory s) private returns (bool done) {
        bool possible = !c.client.halted() && block.timestamp <= uint256(c.client.handOver()) + c.client.expiry();
        done = _call(s);
        vm.assertTrue(done == possible, "submit");
        if (done) (_lastSubmission, newest) = (s, s.commitment.blockNumber);
    }

    function _call(Submission memory s) private returns (bool done) {
        (done,) = address(c.client)
            .call(
                abi.encodeCall(
                    BeefyClient.submit, (s.commitment, s.validators, s.signers, s.signatures, s.leaf, s.proof)
                )
            );
    }

    /// Ciro takes what the token has sent: in order, without gaps, each once.
    function _receive() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] != keccak256("Sent(uint64,bytes32[])")) continue;
            bytes32[] memory words = abi.decode(logs[i].data, (bytes32[]));
            vm.assertEq(uint256(logs[i].topics[1]), received);
            vm.assertEq(uint256(words[1]), received++);
            vm.assertEq(words[0], c.token.lane());
            locked -= uint256(words[words[2] == bytes32(uint256(101)) ? 5 : 4]);
        }
    }
}
