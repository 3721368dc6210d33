// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MalformedLeaf} from "../Errors.sol";
import {Bits} from "./Bits.sol";

/// @notice A set of validators: its number, how many they are, and the root of the Merkle tree over their addresses.
struct ValidatorSet {
    uint64 id;
    uint32 length;
    bytes32 root;
}

/// @notice What one leaf of Ciro's MMR says about a block's parent.
struct Leaf {
    uint32 parent;
    bytes32 parentHash;
    ValidatorSet next;
    /// The parent's time, Unix seconds.
    uint64 time;
    /// Root of the tree over the parent's messages, zero if it has none.
    bytes32 messages;
    /// Root of the tree over the parent's results, zero if it has none.
    bytes32 results;
}

/// @title The 153 bytes of a leaf
/// @notice `version (u8, 0) ‖ parent number (u32 LE) ‖ parent hash ‖ next set: id (u64 LE), length (u32 LE), root ‖ time (u64 LE) ‖
/// root of messages ‖ root of results`.
library Leaves {
    uint256 internal constant LENGTH = 153;

    function decode(bytes calldata leaf) internal pure returns (Leaf memory decoded) {
        require(leaf.length == LENGTH && leaf[0] == 0, MalformedLeaf());
        decoded.parent = Bits.swap32(uint32(bytes4(leaf[1:5])));
        decoded.parentHash = bytes32(leaf[5:37]);
        decoded.next.id = Bits.swap64(uint64(bytes8(leaf[37:45])));
        decoded.next.length = Bits.swap32(uint32(bytes4(leaf[45:49])));
        decoded.next.root = bytes32(leaf[49:81]);
        decoded.time = Bits.swap64(uint64(bytes8(leaf[81:89])));
        decoded.messages = bytes32(leaf[89:121]);
        decoded.results = bytes32(leaf[121:153]);
    }
}
