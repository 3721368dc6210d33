// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Trees as the protocol's text describes them
/// @notice Written for plainness and apart from `src/lib`, which the tests hold to it: whole trees, recursive, nothing packed.
library Trees {
    /// @notice Root of the binary Merkle tree over leaves' hashes.
    function merkleRoot(bytes32[] memory layer) internal pure returns (bytes32) {
        if (layer.length == 0) return 0;
        while (layer.length > 1) layer = _above(layer);
        return layer[0];
    }

    /// @notice The siblings of leaf `index`, bottom-up.
    function merklePath(bytes32[] memory layer, uint256 index) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](0);
        while (layer.length > 1) {
            uint256 sibling = index % 2 == 0 ? index + 1 : index - 1;
            if (sibling < layer.length) path = _push(path, layer[sibling]);
            layer = _above(layer);
            index /= 2;
        }
    }

    /// @notice Root of the MMR over leaves' hashes.
    function mmrRoot(bytes32[] memory leaves) internal pure returns (bytes32) {
        return _bag(_peaks(leaves), 0);
    }

    /// @notice Proof of leaf `index`: left peaks, siblings, bagged right peaks.
    function mmrProof(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory proof) {
        bytes32[] memory peaks = _peaks(leaves);
        proof = new bytes32[](0);
        uint256 start;
        for (uint256 peak = 0; peak < peaks.length; peak++) {
            uint256 size = _largest(leaves.length - start);
            if (index < start + size) {
                bytes32[] memory path = merklePath(_slice(leaves, start, size), index - start);
                for (uint256 i = 0; i < path.length; i++) {
                    proof = _push(proof, path[i]);
                }
                return peak + 1 < peaks.length ? _push(proof, _bag(peaks, peak + 1)) : proof;
            }
            proof = _push(proof, peaks[peak]);
            start += size;
        }
        revert("no such leaf");
    }

    function _peaks(bytes32[] memory leaves) private pure returns (bytes32[] memory peaks) {
        peaks = new bytes32[](0);
        uint256 size;
        for (uint256 start = 0; start < leaves.length; start += size) {
            size = _largest(leaves.length - start);
            peaks = _push(peaks, merkleRoot(_slice(leaves, start, size)));
        }
    }

    /// The peaks from the one at `first` on, bagged from the right.
    function _bag(bytes32[] memory peaks, uint256 first) private pure returns (bytes32) {
        if (first + 1 == peaks.length) return peaks[first];
        return keccak256(abi.encode(_bag(peaks, first + 1), peaks[first]));
    }

    /// The largest power of two that is not above `count`.
    function _largest(uint256 count) private pure returns (uint256 size) {
        size = 1;
        while (size * 2 <= count) size *= 2;
    }

    function _above(bytes32[] memory layer) private pure returns (bytes32[] memory above) {
        above = new bytes32[]((layer.length + 1) / 2);
        for (uint256 i = 0; i < above.length; i++) {
            bool paired = 2 * i + 1 < layer.length;
            above[i] = paired ? keccak256(abi.encode(layer[2 * i], layer[2 * i + 1])) : layer[2 * i];
        }
    }

    function _slice(bytes32[] memory items, uint256 start, uint256 size) private pure returns (bytes32[] memory part) {
        part = new bytes32[](size);
        for (uint256 i = 0; i < size; i++) {
            part[i] = items[start + i];
        }
    }

    function _push(bytes32[] memory items, bytes32 item) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](items.length + 1);
        for (uint256 i = 0; i < items.length; i++) {
            longer[i] = items[i];
        }
        longer[items.length] = item;
    }
}
