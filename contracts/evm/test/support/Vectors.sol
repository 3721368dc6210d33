// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Commitment} from "../../src/BeefyClient.sol";
import {ProvenResult} from "../../src/ResultRegistry.sol";
import {Leaf, ValidatorSet} from "../../src/lib/Leaf.sol";
import {Message} from "../../src/lib/Message.sol";
import {vm} from "../../script/Vm.sol";
import {Submission} from "./Ciro.sol";

/// The objects of `contracts/vectors`, each with its fields in alphabetical order, as `vm.parseJson` gives them.
struct JsonSet {
    uint256 id;
    uint256 length;
    bytes32 root;
}

struct JsonClient {
    JsonSet current;
    uint256 expiry;
    bytes32 genesis;
    JsonSet next;
    uint256 time;
}

struct JsonLeaf {
    bytes32 messagesRoot;
    JsonSet nextSet;
    bytes32 parentHash;
    uint256 parentNumber;
    bytes32 resultsRoot;
    uint256 timestamp;
}

struct JsonProof {
    uint256 blockNumber;
    bytes32[] items;
    JsonLeaf leaf;
}

struct JsonSignature {
    uint256 parity;
    bytes32 r;
    bytes32 s;
}

struct JsonUpdate {
    address[] addresses;
    uint256 blockNumber;
    bool handover;
    bytes32[] items;
    JsonLeaf leaf;
    bytes32 root;
    uint256 set;
    JsonSignature[] signatures;
    bytes32 signers;
}

struct JsonStep {
    uint256 time;
    JsonUpdate update;
}

struct JsonMessage {
    uint256 count;
    bytes32 id;
    uint256 index;
    bytes32[] items;
    bytes32[] words;
}

struct JsonResult {
    uint256 count;
    uint256 index;
    bytes32 inputCommitment;
    bytes32[] items;
    uint256 job;
    bytes32 model;
    bytes32 outputHash;
}

struct JsonTarget {
    bytes32 chainId;
    bytes32 target;
    string kind;
}

/// @title What vectors say, in the contracts' terms
library Vectors {
    function read(string memory name) internal view returns (string memory) {
        return vm.readFile(string.concat(vm.projectRoot(), "/../vectors/", name, ".json"));
    }

    function item(string memory list, uint256 i) internal pure returns (string memory) {
        return string.concat(list, "[", vm.toString(i), "]");
    }

    /// @notice How many items a list has: no other key tells.
    function count(string memory json, string memory list) internal view returns (uint256 length) {
        while (vm.keyExistsJson(json, item(list, length))) length++;
    }

    function client(string memory json, string memory key) internal pure returns (JsonClient memory) {
        return abi.decode(vm.parseJson(json, key), (JsonClient));
    }

    function steps(string memory json, string memory key) internal pure returns (JsonStep[] memory) {
        return abi.decode(vm.parseJson(json, key), (JsonStep[]));
    }

    function update(string memory json, string memory key) internal pure returns (JsonUpdate memory) {
        return abi.decode(vm.parseJson(json, key), (JsonUpdate));
    }

    function proof(string memory json, string memory key) internal pure returns (JsonProof memory) {
        return abi.decode(vm.parseJson(json, key), (JsonProof));
    }

    function target(string memory json, string memory key) internal pure returns (JsonTarget memory) {
        return abi.decode(vm.parseJson(json, key), (JsonTarget));
    }

    function messages(string memory json, string memory key) internal pure returns (Message[] memory all) {
        JsonMessage[] memory list = abi.decode(vm.parseJson(json, key), (JsonMessage[]));
        all = new Message[](list.length);
        for (uint256 i = 0; i < list.length; i++) {
            all[i] = Message(list[i].index, list[i].count, list[i].items, list[i].words);
        }
    }

    function results(string memory json, string memory key) internal pure returns (ProvenResult[] memory all) {
        JsonResult[] memory list = abi.decode(vm.parseJson(json, key), (JsonResult[]));
        all = new ProvenResult[](list.length);
        for (uint256 i = 0; i < list.length; i++) {
            all[i] = resultOf(list[i]);
        }
    }

    function result(string memory json, string memory key) internal pure returns (ProvenResult memory) {
        return resultOf(abi.decode(vm.parseJson(json, key), (JsonResult)));
    }

    function setOf(JsonSet memory s) internal pure returns (ValidatorSet memory) {
        return ValidatorSet(uint64(s.id), uint32(s.length), s.root);
    }

    function leafOf(JsonLeaf memory l) internal pure returns (Leaf memory) {
        return Leaf(
            uint32(l.parentNumber), l.parentHash, setOf(l.nextSet), uint64(l.timestamp), l.messagesRoot, l.resultsRoot
        );
    }

    function resultOf(JsonResult memory r) private pure returns (ProvenResult memory) {
        return ProvenResult(uint64(r.job), r.model, r.inputCommitment, r.outputHash, r.index, r.count, r.items);
    }

    /// @param leaf the leaf's bytes, if the update has one
    function submission(JsonUpdate memory u, bytes memory leaf) internal pure returns (Submission memory s) {
        s.commitment = Commitment(u.root, uint32(u.blockNumber), uint64(u.set));
        for (uint256 i = 0; i < u.addresses.length; i++) {
            s.validators = abi.encodePacked(s.validators, u.addresses[i]);
        }
        s.signers = uint256(u.signers);
        for (uint256 i = 0; i < u.signatures.length; i++) {
            JsonSignature memory g = u.signatures[i];
            s.signatures = abi.encodePacked(s.signatures, g.r, compact(g.s, g.parity));
        }
        if (u.handover) (s.leaf, s.proof) = (leaf, u.items);
    }

    /// @notice `s` with the parity in its top bit. An `s` that needs this bit itself cannot be said.
    function compact(bytes32 s, uint256 parity) internal pure returns (bytes32) {
        return bytes32(uint256(s) & type(uint256).max >> 1 | parity << 255);
    }
}
