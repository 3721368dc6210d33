// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ValueOutOfRange} from "../Errors.sol";

/// @notice A message of Ciro with its path in the tree of its block's messages.
struct Message {
    uint256 index;
    uint256 count;
    bytes32[] path;
    /// Lane, nonce, kind, and what the kind says.
    bytes32[] words;
}

/// @title The words that all messages begin with, and the kinds that are sent to and from EVM contracts
library Messages {
    uint256 internal constant LANE = 0;
    uint256 internal constant NONCE = 1;
    uint256 internal constant KIND = 2;
    uint256 internal constant HEAD = 3;

    /// To CiroToken: recipient, amount, expiry, refund.
    uint256 internal constant MINT = 1;
    uint256 internal constant MINT_WORDS = HEAD + 4;
    /// To ResultRegistry: job, model, input commitment, output hash.
    uint256 internal constant RESULT = 2;
    uint256 internal constant RESULT_WORDS = HEAD + 4;
    /// From CiroToken: destination lane, recipient, amount, refund.
    uint256 internal constant BURN = 101;
    uint256 internal constant BURN_WORDS = HEAD + 4;
    /// From CiroToken: nonce of the expired `Mint`, amount, refund.
    uint256 internal constant RETURN = 102;
    uint256 internal constant RETURN_WORDS = HEAD + 3;
}

/// @title Numbers and addresses in words
library Words {
    function toUint64(bytes32 word) internal pure returns (uint64) {
        require(uint256(word) <= type(uint64).max, ValueOutOfRange());
        return uint64(uint256(word));
    }

    function toUint128(bytes32 word) internal pure returns (uint128) {
        require(uint256(word) <= type(uint128).max, ValueOutOfRange());
        return uint128(uint256(word));
    }

    function toAddress(bytes32 word) internal pure returns (address) {
        require(uint256(word) <= type(uint160).max, ValueOutOfRange());
        return address(uint160(uint256(word)));
    }
}
