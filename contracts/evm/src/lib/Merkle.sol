// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IndexOutOfRange, WrongPathLength} from "../Errors.sol";

/// @title Binary Merkle trees over Keccak-256
/// @notice The hash of a leaf is that of its bytes, a node's `keccak(left ‖ right)`; the last node of an odd layer goes up
/// unchanged. Leaves here are never 64 bytes long, so that no leaf can be a node.
library Merkle {
    /// @notice The root that a path leads to, walked by the geometry of a tree of `count` leaves.
    /// @param leaf hash of the leaf
    /// @param index the leaf's place, from 0 on and below `count`
    /// @param path the siblings, bottom-up: exactly as many as the walk asks for
    function root(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 node)
    {
        require(index < count, IndexOutOfRange());
        node = leaf;
        uint256 used;
        for (; count > 1; count = (count + 1) >> 1) {
            bool right = index & 1 == 1;
            if (right || index + 1 < count) {
                require(used < path.length, WrongPathLength());
                bytes32 sibling = path[used++];
                node = right ? hash(sibling, node) : hash(node, sibling);
            }
            index >>= 1;
        }
        require(used == path.length, WrongPathLength());
    }

    /// @notice The root of the tree over `hashes`, which are overwritten. That of no leaves is zero.
    function root(bytes32[] memory hashes) internal pure returns (bytes32) {
        uint256 width = hashes.length;
        if (width == 0) return 0;
        for (; width > 1; width = (width + 1) >> 1) {
            // Pairs lie side by side: each is hashed where it is, and the next layer grows over this one.
            assembly ("memory-safe") {
                let layer := add(hashes, 0x20)
                let last := sub(width, 1)
                for { let i := 0 } lt(i, last) { i := add(i, 2) } {
                    mstore(add(layer, shl(4, i)), keccak256(add(layer, shl(5, i)), 0x40))
                }
                if and(width, 1) { mstore(add(layer, shl(4, last)), mload(add(layer, shl(5, last)))) }
            }
        }
        return hashes[0];
    }

    /// @notice `keccak(left ‖ right)`, in scratch space.
    function hash(bytes32 left, bytes32 right) internal pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            node := keccak256(0x00, 0x40)
        }
    }
}
