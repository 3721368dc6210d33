// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../src/Errors.sol";
import {Bits} from "../src/lib/Bits.sol";
import {Lane} from "../src/lib/Lane.sol";
import {Leaf, Leaves, ValidatorSet} from "../src/lib/Leaf.sol";
import {Merkle} from "../src/lib/Merkle.sol";
import {Words} from "../src/lib/Message.sol";
import {Mmr} from "../src/lib/Mmr.sol";
import {Signatures} from "../src/lib/Signatures.sol";
import {vm} from "../script/Vm.sol";
import {Ciro} from "./support/Ciro.sol";
import {Trees} from "./support/Trees.sol";

/// The libraries against the plain trees of `Trees`, and against bytes written by hand.
contract LibTest {
    Ciro private immutable ciro = new Ciro(1);

    function testFuzz_every_merkle_path_leads_to_the_root(uint256 seed) public view {
        bytes32[] memory leaves = leavesFrom(seed, 1 + seed % 130);
        uint256 index = (seed >> 8) % leaves.length;
        bytes32[] memory path = Trees.merklePath(leaves, index);
        bytes32 root = Trees.merkleRoot(leaves);
        vm.assertEq(this.merkle(leaves[index], index, leaves.length, path), root);
        vm.assertEq(Merkle.root(leaves), root);
    }

    function testFuzz_every_mmr_proof_leads_to_the_root(uint256 seed) public view {
        bytes32[] memory leaves = leavesFrom(seed, 1 + seed % 200);
        uint256 index = (seed >> 8) % leaves.length;
        bytes32[] memory proof = Trees.mmrProof(leaves, index);
        vm.assertEq(this.mmr(leaves[index], index, leaves.length, proof), Trees.mmrRoot(leaves));
    }

    function test_all_proofs_of_all_small_trees_lead_to_the_roots() public view {
        for (uint256 count = 1; count <= 20; count++) {
            bytes32[] memory leaves = leavesFrom(count, count);
            for (uint256 i = 0; i < count; i++) {
                vm.assertEq(this.merkle(leaves[i], i, count, Trees.merklePath(leaves, i)), Trees.merkleRoot(leaves));
                vm.assertEq(this.mmr(leaves[i], i, count, Trees.mmrProof(leaves, i)), Trees.mmrRoot(leaves));
            }
        }
    }

    function testFuzz_a_place_outside_the_tree_is_refused(uint256 index, uint256 count) public {
        if (index < count) (index, count) = (count, index);
        vm.expectRevert(IndexOutOfRange.selector);
        this.merkle(0, index, count, new bytes32[](0));
        vm.expectRevert(LeafOutOfRange.selector);
        this.mmr(0, index, count, new bytes32[](0));
    }

    function testFuzz_a_proof_of_another_length_is_refused(uint256 seed, uint256 length) public {
        bytes32[] memory leaves = leavesFrom(seed, 1 + seed % 130);
        uint256 index = (seed >> 8) % leaves.length;
        length %= 20;
        if (length != Trees.merklePath(leaves, index).length) {
            vm.expectRevert(WrongPathLength.selector);
            this.merkle(leaves[index], index, leaves.length, leavesFrom(seed, length));
        }
        if (length != Trees.mmrProof(leaves, index).length) {
            vm.expectRevert(WrongLeafProofLength.selector);
            this.mmr(leaves[index], index, leaves.length, leavesFrom(seed, length));
        }
    }

    /// The last leaf of an odd layer goes up unchanged: its short path must not fit another place.
    function testFuzz_a_path_does_not_fit_another_place(uint256 seed) public view {
        bytes32[] memory leaves = leavesFrom(seed, 2 + seed % 130);
        uint256 index = (seed >> 8) % leaves.length;
        uint256 other = (seed >> 16) % leaves.length;
        if (index == other) return;
        bytes32 root = Trees.merkleRoot(leaves);
        try this.merkle(leaves[index], other, leaves.length, Trees.merklePath(leaves, index)) returns (bytes32 led) {
            vm.assertTrue(led != root);
        } catch (bytes memory why) {
            vm.assertEq(bytes32(bytes4(why)), bytes32(WrongPathLength.selector));
        }
        root = Trees.mmrRoot(leaves);
        try this.mmr(leaves[index], other, leaves.length, Trees.mmrProof(leaves, index)) returns (bytes32 led) {
            vm.assertTrue(led != root);
        } catch (bytes memory why) {
            vm.assertEq(bytes32(bytes4(why)), bytes32(WrongLeafProofLength.selector));
        }
    }

    function test_the_root_of_no_leaves_is_zero() public pure {
        vm.assertEq(Merkle.root(new bytes32[](0)), bytes32(0));
    }

    function testFuzz_a_leaf_is_read_back(Leaf memory leaf) public view {
        bytes memory encoded = ciro.encode(leaf);
        vm.assertEq(encoded.length, 153);
        vm.assertEq(abi.encode(this.decode(encoded)), abi.encode(leaf));
    }

    function test_a_leaf_is_153_bytes_in_the_order_of_the_protocol() public view {
        bytes32 three = bytes32(uint256(0x0303030303030303030303030303030303030303030303030303030303030303));
        bytes memory encoded = bytes.concat(hex"0002010000", three, hex"040000000000000005000000");
        encoded =
            bytes.concat(encoded, bytes32(uint256(6)), hex"0700000000000000", bytes32(uint256(8)), bytes32(uint256(9)));
        Leaf memory leaf =
            Leaf(0x0102, three, ValidatorSet(4, 5, bytes32(uint256(6))), 7, bytes32(uint256(8)), bytes32(uint256(9)));
        vm.assertEq(abi.encode(this.decode(encoded)), abi.encode(leaf));
    }

    function testFuzz_a_leaf_of_another_length_or_version_is_refused(bytes memory encoded) public {
        if (encoded.length == 153 && encoded[0] == 0) encoded[0] = 0x01;
        vm.expectRevert(MalformedLeaf.selector);
        this.decode(encoded);
    }

    function testFuzz_ones_are_counted(uint64 x) public pure {
        uint256 ones;
        for (uint256 i = 0; i < 64; i++) {
            ones += (x >> i) & 1;
        }
        vm.assertEq(Bits.count(x), ones);
    }

    /// The signer before would be left where the precompile writes nothing.
    function testFuzz_a_signature_of_nobody_has_no_signer(uint256 key, bytes32 digest) public view {
        key = 1 + key % type(uint128).max;
        bytes memory signature = ciro.signature(key, digest);
        address[] memory signers = this.signersOf(digest, bytes.concat(signature, new bytes(64), signature));
        vm.assertEq(signers[0], vm.addr(key));
        vm.assertEq(signers[1], address(0));
        vm.assertEq(signers[2], vm.addr(key));
    }

    function testFuzz_packed_addresses_are_read(address[] memory accounts) public view {
        bytes memory packed;
        for (uint256 i = 0; i < accounts.length; i++) {
            packed = abi.encodePacked(packed, accounts[i]);
        }
        for (uint256 i = 0; i < accounts.length; i++) {
            vm.assertEq(this.addressAt(packed, i), accounts[i]);
            vm.assertEq(Signatures.hashOf(accounts[i]), keccak256(abi.encodePacked(accounts[i])));
        }
    }

    function testFuzz_bytes_are_turned_round(uint32 x, uint64 y) public view {
        vm.assertEq(abi.encodePacked(Bits.swap32(x)), ciro.littleEndian(x, 4));
        vm.assertEq(abi.encodePacked(Bits.swap64(y)), ciro.littleEndian(y, 8));
    }

    function testFuzz_a_lane_is_the_hash_of_its_107_bytes(bytes32 genesis, uint256 chain, address target) public pure {
        bytes memory encoded =
            bytes.concat("ciro/lane/1", genesis, hex"00", bytes32(chain), bytes32(uint256(uint160(target))));
        vm.assertEq(encoded.length, 11 + 32 + 1 + 32 + 32);
        vm.assertEq(Lane.to(genesis, chain, target), keccak256(encoded));
    }

    function testFuzz_numbers_that_do_not_fit_are_refused(uint256 x) public {
        x >>= x % 256;
        bytes32 word = bytes32(x);
        if (x >> 64 == 0) {
            vm.assertEq(this.toUint64(word), x);
        } else {
            vm.expectRevert(ValueOutOfRange.selector);
            this.toUint64(word);
        }
        if (x >> 128 == 0) {
            vm.assertEq(this.toUint128(word), x);
        } else {
            vm.expectRevert(ValueOutOfRange.selector);
            this.toUint128(word);
        }
        if (x >> 160 == 0) {
            vm.assertEq(uint160(this.toAddress(word)), x);
        } else {
            vm.expectRevert(ValueOutOfRange.selector);
            this.toAddress(word);
        }
    }

    function merkle(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return Merkle.root(leaf, index, count, path);
    }

    function mmr(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof) external pure returns (bytes32) {
        return Mmr.root(leaf, index, count, proof);
    }

    function decode(bytes calldata leaf) external pure returns (Leaf memory) {
        return Leaves.decode(leaf);
    }

    function signersOf(bytes32 digest, bytes calldata signatures) external view returns (address[] memory signers) {
        signers = new address[](signatures.length / 64);
        for (uint256 i = 0; i < signers.length; i++) {
            signers[i] = Signatures.signerOf(digest, signatures, i);
        }
    }

    function addressAt(bytes calldata addresses, uint256 i) external pure returns (address) {
        return Signatures.addressAt(addresses, i);
    }

    function toUint64(bytes32 word) external pure returns (uint64) {
        return Words.toUint64(word);
    }

    function toUint128(bytes32 word) external pure returns (uint128) {
        return Words.toUint128(word);
    }

    function toAddress(bytes32 word) external pure returns (address) {
        return Words.toAddress(word);
    }

    function leavesFrom(uint256 seed, uint256 count) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
    }
}
