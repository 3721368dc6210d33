// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Errors.sol";
import {Governed} from "./Governed.sol";
import {Bits} from "./lib/Bits.sol";
import {Leaf, Leaves, ValidatorSet} from "./lib/Leaf.sol";
import {Merkle} from "./lib/Merkle.sol";
import {Mmr} from "./lib/Mmr.sol";
import {Signatures} from "./lib/Signatures.sol";

/// What BEEFY validators sign: the root of Ciro's MMR at a block.
struct Commitment {
    bytes32 root;
    uint32 blockNumber;
    uint64 set;
}

/// @title A light client of Ciro
/// @notice Follows the validator sets and keeps the roots that more than two thirds of one have signed. It is sound while
/// fewer than a third of the set in office are dishonest, and while validators who have left can still be slashed: then
/// it expires, and takes no more roots. Nobody but the validators can make it accept one, the owner by an upgrade excepted.
contract BeefyClient is Governed {
    using Signatures for bytes;
    using Signatures for bytes32;

    uint256 public constant MAX_VALIDATORS = 64;
    /// Seconds that a leaf's time may be ahead of this chain's.
    uint256 public constant MAX_DRIFT = 10 minutes;
    /// For so long Ciro can slash validators who have left.
    uint256 private constant SLASHABLE = 7 days;

    /// Hash of Ciro's first block.
    bytes32 public immutable genesis;
    /// Seconds after the last hand-over from which on the client takes no commitments.
    uint64 public immutable expiry;

    /// Number of the newest block with a root.
    uint32 public newest;
    /// Time of the current set's hand-over, Unix seconds.
    uint64 public handOver;
    /// The set in office.
    ValidatorSet public current;
    /// The set that takes over from it.
    ValidatorSet public next;
    /// Root of the MMR at each block that a commitment was accepted for.
    mapping(uint256 blockNumber => bytes32) public roots;

    event RootAccepted(uint32 indexed blockNumber, bytes32 root);
    event HandedOver(uint64 indexed set, uint64 time);

    /// The expiry must be between one second and the time for which validators can be slashed.
    error BadExpiry();
    /// The first set cannot have come into office yet.
    error GenesisFromFuture();

    constructor(bytes32 genesis_, uint64 expiry_) {
        require(expiry_ > 0 && expiry_ < SLASHABLE, BadExpiry());
        genesis = genesis_;
        expiry = expiry_;
    }

    /// @param time when `current_` came into office, Unix seconds
    function initialize(
        address owner_,
        address guardian_,
        ValidatorSet memory current_,
        ValidatorSet memory next_,
        uint64 time
    ) external initializer {
        __Governed_init(owner_, guardian_);
        _checkLength(current_);
        _checkNext(next_, current_.id);
        require(time <= block.timestamp, GenesisFromFuture());
        (current, next, handOver) = (current_, next_, time);
    }

    /// @notice Takes a commitment that more than two thirds of a validator set have signed.
    /// @param validators the set's addresses in order, 20 bytes each
    /// @param signers bit `i` is set if validator `i` signed
    /// @param signatures of the signers in ascending order, 64 bytes each: `r`, then `s` with the parity of the point's y
    /// in its top bit (EIP-2098)
    /// @param leaf empty for a commitment of the current set; for one of the next set, which is a hand-over, the leaf that
    /// names the set after it
    /// @param proof of `leaf` in the commitment's root
    function submit(
        Commitment calldata commitment,
        bytes calldata validators,
        uint256 signers,
        bytes calldata signatures,
        bytes calldata leaf,
        bytes32[] calldata proof
    ) external whenNotHalted {
        require(block.timestamp <= uint256(handOver) + expiry, Expired());
        require(commitment.blockNumber > newest, StaleCommitment());

        bool handsOver = commitment.set == next.id;
        require(handsOver || commitment.set == current.id, UnknownSet());
        _checkSet(handsOver ? next : current, validators);
        _checkSignatures(digest(commitment), validators, signers, signatures);

        if (handsOver) {
            require(leaf.length != 0, MissingLeaf());
            _handOver(commitment, leaf, proof);
        } else {
            require(leaf.length == 0 && proof.length == 0, UnexpectedLeaf());
        }
        newest = commitment.blockNumber;
        roots[commitment.blockNumber] = commitment.root;
        emit RootAccepted(commitment.blockNumber, commitment.root);
    }

    /// @notice Decodes a leaf that is proven to be in the root at `blockNumber`, and reverts otherwise.
    function prove(uint32 blockNumber, bytes calldata leaf, bytes32[] calldata proof)
        external
        view
        whenNotHalted
        returns (Leaf memory)
    {
        bytes32 root = roots[blockNumber];
        require(root != 0, UnknownRoot());
        return _prove(root, blockNumber, leaf, proof);
    }

    /// @notice What validators sign: the SCALE form of a commitment whose only item, `mh`, is the root.
    function digest(Commitment calldata commitment) public pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                hex"046d6880", commitment.root, Bits.swap32(commitment.blockNumber), Bits.swap64(commitment.set)
            )
        );
    }

    /// The MMR at a block has that many leaves, the last of which is about its parent.
    function _prove(bytes32 root, uint32 blockNumber, bytes calldata leaf, bytes32[] calldata proof)
        private
        pure
        returns (Leaf memory decoded)
    {
        decoded = Leaves.decode(leaf);
        require(Mmr.root(keccak256(leaf), decoded.parent, blockNumber, proof) == root, WrongLeafProof());
    }

    function _handOver(Commitment calldata commitment, bytes calldata encoded, bytes32[] calldata proof) private {
        Leaf memory leaf = _prove(commitment.root, commitment.blockNumber, encoded, proof);
        _checkNext(leaf.next, commitment.set);
        require(leaf.time <= block.timestamp + MAX_DRIFT, LeafFromFuture());

        current = next;
        next = leaf.next;
        uint64 time = leaf.time < block.timestamp ? leaf.time : uint64(block.timestamp);
        if (time > handOver) handOver = time;
        emit HandedOver(commitment.set, handOver);
    }

    function _checkSet(ValidatorSet storage set, bytes calldata validators) private view {
        uint256 length = set.length;
        require(validators.length == Signatures.ADDRESS * length, WrongAddressCount());

        bytes32[] memory hashes = new bytes32[](length);
        bool zero;
        for (uint256 i = 0; i < length; i++) {
            address validator = validators.addressAt(i);
            zero = zero || validator == address(0);
            hashes[i] = Signatures.hashOf(validator);
        }
        require(Merkle.root(hashes) == set.root, WrongSetRoot());
        require(!zero, ZeroAddress());
    }

    function _checkSignatures(bytes32 hash, bytes calldata validators, uint256 signers, bytes calldata signatures)
        private
        view
    {
        uint256 length = validators.length / Signatures.ADDRESS;
        require(signers >> length == 0, SignerOutOfRange());
        uint256 count = Bits.count(signers);
        require(count >= length - (length - 1) / 3, TooFewSigners());
        require(signatures.length == Signatures.SIGNATURE * count, WrongSignatureCount());

        uint256 signature;
        for (uint256 i = 0; i < length; i++) {
            if (signers >> i & 1 == 0) continue;
            require(hash.signerOf(signatures, signature++) == validators.addressAt(i), WrongSigner());
        }
    }

    function _checkNext(ValidatorSet memory set, uint64 before) private pure {
        require(uint256(set.id) == uint256(before) + 1, WrongNextSet());
        _checkLength(set);
    }

    function _checkLength(ValidatorSet memory set) private pure {
        require(set.length >= 1 && set.length <= MAX_VALIDATORS, WrongSetLength());
    }
}
