// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import "./Errors.sol";
import {BeefyClient} from "./BeefyClient.sol";
import {Governed} from "./Governed.sol";
import {Lane} from "./lib/Lane.sol";
import {Leaf} from "./lib/Leaf.sol";
import {Merkle} from "./lib/Merkle.sol";
import {Message, Messages, Words} from "./lib/Message.sol";

/// @title The end of a lane
/// @notice Takes each message of its own lane once, in any order, on proof that a block of Ciro holds it.
abstract contract Inbox is Governed {
    using BitMaps for BitMaps.BitMap;

    BeefyClient public immutable client;
    bytes32 private immutable _genesis;

    BitMaps.BitMap private _taken;
    uint256[49] private __gap;

    /// A message was taken and carried out.
    event Delivered(uint64 indexed nonce, uint256 indexed kind);

    constructor(BeefyClient client_) {
        client = client_;
        _genesis = client_.genesis();
    }

    /// @notice The lane that leads here.
    function lane() public view returns (bytes32) {
        return Lane.own(_genesis);
    }

    /// @notice Whether the message with this nonce was taken.
    function taken(uint64 nonce) external view returns (bool) {
        return _taken.get(nonce);
    }

    /// @notice Takes messages of one block. All of them or none: one that cannot be carried out now is delivered another
    /// time, and need not keep others back.
    /// @param blockNumber a block whose root the client knows
    /// @param leaf the leaf about the block that sent the messages
    /// @param proof of `leaf` in that root
    function deliver(uint32 blockNumber, bytes calldata leaf, bytes32[] calldata proof, Message[] calldata messages)
        external
        whenNotHalted
    {
        Leaf memory proven = client.prove(blockNumber, leaf, proof);
        bytes32 ownLane = lane();
        for (uint256 i = 0; i < messages.length; i++) {
            _take(proven, ownLane, messages[i]);
        }
    }

    function _take(Leaf memory leaf, bytes32 ownLane, Message calldata message) private {
        bytes32[] calldata words = message.words;
        // Two words could be an inner node.
        require(words.length >= Messages.HEAD, WrongWordCount());
        bytes32 hash = keccak256(abi.encodePacked(words));
        require(Merkle.root(hash, message.index, message.count, message.path) == leaf.messages, WrongPath());
        require(words[Messages.LANE] == ownLane, WrongLane());
        uint256 kind = uint256(words[Messages.KIND]);
        require(words.length == _wordsOf(kind), WrongWordCount());

        uint64 nonce = Words.toUint64(words[Messages.NONCE]);
        require(!_taken.get(nonce), NonceTaken());
        _taken.set(nonce);
        _carryOut(leaf, kind, words);
        emit Delivered(nonce, kind);
    }

    /// @dev How many words a message of this kind has; reverts with `UnknownKind` if the contract takes none such.
    function _wordsOf(uint256 kind) internal pure virtual returns (uint256);

    /// @dev Does what a message says; its nonce is marked and its words have been counted.
    function _carryOut(Leaf memory leaf, uint256 kind, bytes32[] calldata words) internal virtual;
}
