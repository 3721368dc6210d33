// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HighS} from "../Errors.sol";

/// @title Lists of addresses and of signatures, packed
/// @notice A validator costs 20 bytes of data and a signer 64 more. The assembly saves a fifth of a commitment's gas: what the
/// compiler makes of slices and of `ecrecover` checks bounds that the callers have checked, and copies through memory.
library Signatures {
    uint256 internal constant ADDRESS = 20;
    uint256 internal constant SIGNATURE = 64;

    /// Half of the order of secp256k1, rounded down.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Address `i` of a list that has more than `i`.
    function addressAt(bytes calldata addresses, uint256 i) internal pure returns (address account) {
        assembly ("memory-safe") {
            account := shr(96, calldataload(add(addresses.offset, mul(i, ADDRESS))))
        }
    }

    /// @notice The hash of the 20 bytes of an address.
    function hashOf(address account) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, shl(96, account))
            hash := keccak256(0x00, ADDRESS)
        }
    }

    /// @notice Who made signature `i` of a list that has more than `i`; zero if nobody can have made it. A signature is `r`,
    /// and `s` with the parity of the point's y in its top bit (EIP-2098): `s` is at most half of the order, and needs no more.
    function signerOf(bytes32 digest, bytes calldata signatures, uint256 i) internal view returns (address signer) {
        uint256 r;
        uint256 vs;
        assembly ("memory-safe") {
            let signature := add(signatures.offset, mul(i, SIGNATURE))
            r := calldataload(signature)
            vs := calldataload(add(signature, 0x20))
        }
        uint256 s = vs & type(uint256).max >> 1;
        require(s <= HALF_ORDER, HighS());
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, digest)
            mstore(add(input, 0x20), add(27, shr(255, vs)))
            mstore(add(input, 0x40), r)
            mstore(add(input, 0x60), s)
            mstore(0x00, 0)
            // The precompile returns nothing for what nobody can have signed.
            pop(staticcall(gas(), 1, input, 0x80, 0x00, 0x20))
            signer := mload(0x00)
        }
    }
}
