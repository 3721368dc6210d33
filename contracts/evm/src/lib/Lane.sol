// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Lanes: the way from Ciro to one contract on one chain and back
library Lane {
    /// @notice The lane that leads to the calling contract. It is computed anew each time: on a fork of the chain with
    /// another id the same contract has another lane, and nothing can be replayed there.
    /// @param genesis hash of Ciro's first block
    function own(bytes32 genesis) internal view returns (bytes32) {
        return to(genesis, block.chainid, address(this));
    }

    /// @notice The lane that leads to `target`, its proxy where there is one, on the EVM chain `chainId`.
    function to(bytes32 genesis, uint256 chainId, address target) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked("ciro/lane/1", genesis, uint8(0), chainId, uint256(uint160(target))));
    }
}
