// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Counting bits and turning bytes round
library Bits {
    /// @notice The number of ones in `x`, which is below 2^64: pairs, nibbles and bytes are summed in place.
    function count(uint256 x) internal pure returns (uint256) {
        unchecked {
            x -= (x >> 1) & 0x5555555555555555;
            x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
            x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
            return ((x * 0x0101010101010101) >> 56) & 0xff;
        }
    }

    /// @notice The bytes of `x` in the other order.
    function swap32(uint32 x) internal pure returns (uint32) {
        x = ((x & 0x00ff00ff) << 8) | ((x >> 8) & 0x00ff00ff);
        return (x << 16) | (x >> 16);
    }

    /// @notice The bytes of `x` in the other order.
    function swap64(uint64 x) internal pure returns (uint64) {
        return (uint64(swap32(uint32(x))) << 32) | swap32(uint32(x >> 32));
    }
}
