// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Errors.sol";
import {BeefyClient} from "./BeefyClient.sol";
import {Inbox} from "./Inbox.sol";
import {Leaf} from "./lib/Leaf.sol";
import {Merkle} from "./lib/Merkle.sol";
import {Messages, Words} from "./lib/Message.sol";

/// @notice A result with its path in the tree of its block's results.
struct ProvenResult {
    uint64 job;
    bytes32 model;
    bytes32 inputCommitment;
    bytes32 outputHash;
    uint256 index;
    uint256 count;
    bytes32[] path;
}

/// @title Results that Ciro's runtime has verified by a proof
/// @notice A job's result comes as a message of this registry's lane, or straight from the tree of results of its block,
/// for which nobody has to send anything on Ciro.
contract ResultRegistry is Inbox {
    bytes32 private constant DOMAIN = keccak256("ciro/result/1");

    struct Result {
        bytes32 model;
        bytes32 inputCommitment;
        bytes32 outputHash;
        /// The block of Ciro that verified or sent the result; zero if there is none.
        uint32 blockNumber;
    }

    /// The result of each job that one is known of.
    mapping(uint64 job => Result) public result;

    event ResultVerified(
        uint64 indexed job, bytes32 indexed model, bytes32 inputCommitment, bytes32 outputHash, uint32 blockNumber
    );

    /// Another result of this job is known.
    error OtherResult(uint64 job);

    constructor(BeefyClient client_) Inbox(client_) {}

    function initialize(address owner_, address guardian_) external initializer {
        __Governed_init(owner_, guardian_);
    }

    /// @notice Whether the result of this job is known here.
    function isVerified(uint64 job) external view returns (bool) {
        return result[job].blockNumber != 0;
    }

    /// @notice Records results of one block by their places in its tree of results. Those that are known already change nothing.
    /// @param blockNumber a block whose root the client knows
    /// @param leaf the leaf about the block that verified the results
    /// @param proof of `leaf` in that root
    function proveResults(
        uint32 blockNumber,
        bytes calldata leaf,
        bytes32[] calldata proof,
        ProvenResult[] calldata results
    ) external whenNotHalted {
        Leaf memory proven = client.prove(blockNumber, leaf, proof);
        for (uint256 i = 0; i < results.length; i++) {
            ProvenResult calldata r = results[i];
            bytes32 hash = keccak256(abi.encode(DOMAIN, r.job, r.model, r.inputCommitment, r.outputHash));
            require(Merkle.root(hash, r.index, r.count, r.path) == proven.results, WrongPath());
            _record(r.job, Result(r.model, r.inputCommitment, r.outputHash, proven.parent));
        }
    }

    function _wordsOf(uint256 kind) internal pure override returns (uint256) {
        require(kind == Messages.RESULT, UnknownKind());
        return Messages.RESULT_WORDS;
    }

    function _carryOut(Leaf memory leaf, uint256, bytes32[] calldata words) internal override {
        _record(Words.toUint64(words[3]), Result(words[4], words[5], words[6], leaf.parent));
    }

    function _record(uint64 job, Result memory r) private {
        Result storage known = result[job];
        if (known.blockNumber == 0) {
            result[job] = r;
            emit ResultVerified(job, r.model, r.inputCommitment, r.outputHash, r.blockNumber);
        } else {
            bool same = known.model == r.model && known.inputCommitment == r.inputCommitment
                && known.outputHash == r.outputHash;
            require(same, OtherResult(job));
        }
    }
}
