// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {LeafOutOfRange, WrongLeafProofLength} from "../Errors.sol";
import {Bits} from "./Bits.sol";
import {Merkle} from "./Merkle.sol";

/// @title Merkle mountain ranges over Keccak-256
/// @notice The peaks are the perfect trees of the binary digits of the leaves' number, the largest first.
library Mmr {
    /// @notice The root that a proof of one leaf leads to.
    /// @param leaf hash of the leaf
    /// @param index the leaf's place, from 0 on and below `count`
    /// @param count number of leaves, below 2^64
    /// @param proof the peaks left of the leaf's own, left to right; the siblings up to its own peak, bottom-up; and the
    /// peaks right of it, bagged, if there are any
    function root(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32 node)
    {
        require(index < count, LeafOutOfRange());
        // The leaf's peak is the highest digit in which the two numbers differ: above it lie the peaks to the left.
        uint256 height = Math.log2(index ^ count);
        uint256 left = Bits.count(count >> (height + 1));
        uint256 right = count & ((1 << height) - 1) == 0 ? 0 : 1;
        require(proof.length == left + height + right, WrongLeafProofLength());

        node = leaf;
        for (uint256 level = 0; level < height; level++) {
            bytes32 sibling = proof[left + level];
            node = (index >> level) & 1 == 1 ? Merkle.hash(sibling, node) : Merkle.hash(node, sibling);
        }
        if (right == 1) node = Merkle.hash(proof[left + height], node);
        while (left > 0) node = Merkle.hash(node, proof[--left]);
    }
}
