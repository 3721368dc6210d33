// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Commitment} from "../../src/BeefyClient.sol";
import {ProvenResult} from "../../src/ResultRegistry.sol";
import {Leaf, ValidatorSet} from "../../src/lib/Leaf.sol";
import {Message} from "../../src/lib/Message.sol";
import {vm} from "../../script/Vm.sol";
import {Trees} from "./Trees.sol";

/// Arguments of `BeefyClient.submit`.
struct Submission {
    Commitment commitment;
    bytes validators;
    uint256 signers;
    bytes signatures;
    bytes leaf;
    bytes32[] proof;
}

struct Validators {
    uint256[] keys;
    /// 20 bytes each.
    bytes addresses;
    ValidatorSet set;
}

/// @title Ciro, as much of it as its signatures show
/// @notice Blocks with messages and results, the MMR over them, and validators who sign with real keys.
contract Ciro {
    bytes32 public constant GENESIS = keccak256("genesis of a Ciro in tests");
    bytes32 private constant RESULT_DOMAIN = keccak256("ciro/result/1");

    uint256 private immutable _length;
    /// Number of the set in office.
    uint64 public session;
    bytes[] private _leaves;
    bytes32[] private _hashes;
    mapping(uint256 parent => bytes32[][]) private _messages;
    mapping(uint256 parent => bytes32[][]) private _results;

    constructor(uint256 length) {
        _length = length;
    }

    /// @notice Number of the newest block: as many leaves as the MMR has.
    function height() public view returns (uint32) {
        return uint32(_hashes.length);
    }

    /// @notice Makes the block in which messages are sent and results verified, and the next one, which appends its leaf.
    /// @return parent number of the former
    function author(bytes32[][] memory sent, bytes32[][] memory verified) external returns (uint32 parent) {
        parent = height();
        for (uint256 i = 0; i < sent.length; i++) {
            _messages[parent].push(sent[i]);
        }
        for (uint256 i = 0; i < verified.length; i++) {
            _results[parent].push(verified[i]);
        }
        append(
            Leaf({
                parent: parent,
                parentHash: keccak256(abi.encode("block", parent)),
                next: validators(session + 1).set,
                time: uint64(block.timestamp),
                messages: Trees.merkleRoot(_hashAll(sent)),
                results: Trees.merkleRoot(_hashAll(verified))
            })
        );
    }

    /// @notice Appends a leaf that need not be a true one.
    function append(Leaf memory entry) public {
        bytes memory encoded = encode(entry);
        _leaves.push(encoded);
        _hashes.push(keccak256(encoded));
    }

    /// @notice The next set takes office.
    function rotate() external {
        session++;
    }

    function rotateBack() external {
        session--;
    }

    /// @notice What the set in office signs of the newest block; it brings no leaf.
    function commit() public view returns (Submission memory s) {
        return commitBy(session);
    }

    /// @notice What the set in office signs in its first block: it brings the newest leaf.
    function handOver() external view returns (Submission memory s) {
        s = commitBy(session);
        s.leaf = _leaves[height() - 1];
        s.proof = proof(height() - 1, height());
    }

    function commitBy(uint64 id) public view returns (Submission memory s) {
        s.commitment = Commitment(Trees.mmrRoot(_hashes), height(), id);
        return sign(s, validators(id), quorum(_length));
    }

    /// @notice The first `count` validators of a set sign a commitment.
    function sign(Submission memory s, Validators memory by, uint256 count) public pure returns (Submission memory) {
        s.validators = by.addresses;
        s.signers = (1 << count) - 1;
        s.signatures = "";
        for (uint256 i = 0; i < count; i++) {
            s.signatures = bytes.concat(s.signatures, signature(by.keys[i], digest(s.commitment)));
        }
        return s;
    }

    /// @notice 64 bytes: `r`, and `s` with the parity in its top bit.
    function signature(uint256 key, bytes32 hash) public pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        return abi.encode(r, uint256(s) | (uint256(v - 27) << 255));
    }

    function validators(uint64 id) public view returns (Validators memory v) {
        v.keys = new uint256[](_length);
        bytes32[] memory hashes = new bytes32[](_length);
        for (uint256 i = 0; i < _length; i++) {
            v.keys[i] = uint256(keccak256(abi.encode("validator", id, i))) >> 1;
            bytes memory account = abi.encodePacked(vm.addr(v.keys[i]));
            v.addresses = bytes.concat(v.addresses, account);
            hashes[i] = keccak256(account);
        }
        v.set = ValidatorSet(id, uint32(_length), Trees.merkleRoot(hashes));
    }

    function leaf(uint32 parent) external view returns (bytes memory) {
        return _leaves[parent];
    }

    /// @notice Proof of the leaf about `parent` in the MMR at `blockNumber`.
    function proof(uint32 parent, uint32 blockNumber) public view returns (bytes32[] memory) {
        bytes32[] memory hashes = new bytes32[](blockNumber);
        for (uint256 i = 0; i < blockNumber; i++) {
            hashes[i] = _hashes[i];
        }
        return Trees.mmrProof(hashes, parent);
    }

    function message(uint32 parent, uint256 index) public view returns (Message memory) {
        bytes32[][] memory all = _messages[parent];
        return Message(index, all.length, Trees.merklePath(_hashAll(all), index), all[index]);
    }

    function messages(uint32 parent) external view returns (Message[] memory all) {
        all = new Message[](_messages[parent].length);
        for (uint256 i = 0; i < all.length; i++) {
            all[i] = message(parent, i);
        }
    }

    function result(uint32 parent, uint256 index) public view returns (ProvenResult memory) {
        bytes32[][] memory all = _results[parent];
        bytes32[] memory r = all[index];
        bytes32[] memory path = Trees.merklePath(_hashAll(all), index);
        return ProvenResult(uint64(uint256(r[1])), r[2], r[3], r[4], index, all.length, path);
    }

    function results(uint32 parent) external view returns (ProvenResult[] memory all) {
        all = new ProvenResult[](_results[parent].length);
        for (uint256 i = 0; i < all.length; i++) {
            all[i] = result(parent, i);
        }
    }

    function mint(bytes32 lane, uint256 nonce, address recipient, uint256 amount, uint256 expiry, bytes32 refund)
        external
        pure
        returns (bytes32[] memory words)
    {
        words = head(lane, nonce, 1, 7);
        words[3] = bytes32(uint256(uint160(recipient)));
        words[4] = bytes32(amount);
        words[5] = bytes32(expiry);
        words[6] = refund;
    }

    /// @notice A message of kind `Result` about a job; what was computed follows from the job's number.
    function resultMessage(bytes32 lane, uint256 nonce, uint64 job) external pure returns (bytes32[] memory words) {
        words = head(lane, nonce, 2, 7);
        bytes32[] memory r = resultLeaf(job);
        for (uint256 i = 1; i < 5; i++) {
            words[2 + i] = r[i];
        }
    }

    /// @notice The five words of a result's leaf.
    function resultLeaf(uint64 job) public pure returns (bytes32[] memory words) {
        words = new bytes32[](5);
        words[0] = RESULT_DOMAIN;
        words[1] = bytes32(uint256(job));
        words[2] = keccak256(abi.encode("model", job));
        words[3] = keccak256(abi.encode("input", job));
        words[4] = keccak256(abi.encode("output", job));
    }

    function head(bytes32 lane, uint256 nonce, uint256 kind, uint256 length)
        public
        pure
        returns (bytes32[] memory words)
    {
        words = new bytes32[](length);
        words[0] = lane;
        words[1] = bytes32(nonce);
        words[2] = bytes32(kind);
    }

    /// @notice Signatures that a set needs: more than two thirds.
    function quorum(uint256 length) public pure returns (uint256) {
        return length - (length - 1) / 3;
    }

    function digest(Commitment memory commitment) public pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                hex"046d6880", commitment.root, littleEndian(commitment.blockNumber, 4), littleEndian(commitment.set, 8)
            )
        );
    }

    function encode(Leaf memory l) public pure returns (bytes memory) {
        return abi.encodePacked(
            bytes1(0),
            littleEndian(l.parent, 4),
            l.parentHash,
            littleEndian(l.next.id, 8),
            littleEndian(l.next.length, 4),
            l.next.root,
            littleEndian(l.time, 8),
            l.messages,
            l.results
        );
    }

    function littleEndian(uint256 x, uint256 length) public pure returns (bytes memory b) {
        b = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            b[i] = bytes1(uint8(x >> (8 * i)));
        }
    }

    function _hashAll(bytes32[][] memory words) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](words.length);
        for (uint256 i = 0; i < words.length; i++) {
            hashes[i] = keccak256(abi.encodePacked(words[i]));
        }
    }
}
