// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import "../src/Errors.sol";
import {BeefyClient, Commitment} from "../src/BeefyClient.sol";
import {CiroToken} from "../src/CiroToken.sol";
import {Inbox} from "../src/Inbox.sol";
import {ProvenResult, ResultRegistry} from "../src/ResultRegistry.sol";
import {Lane} from "../src/lib/Lane.sol";
import {Leaf, Leaves} from "../src/lib/Leaf.sol";
import {Merkle} from "../src/lib/Merkle.sol";
import {Message} from "../src/lib/Message.sol";
import {Mmr} from "../src/lib/Mmr.sol";
import {vm} from "../script/Vm.sol";
import {Ciro, Submission} from "./support/Ciro.sol";
import {
    JsonClient,
    JsonLeaf,
    JsonProof,
    JsonSignature,
    JsonStep,
    JsonTarget,
    JsonUpdate,
    Vectors
} from "./support/Vectors.sol";

/// Takes the kinds that EVM contracts of this repository do not: `RemoteResult` and `Slash`.
contract OtherInbox is Inbox {
    constructor(BeefyClient client_) Inbox(client_) {}

    function _wordsOf(uint256 kind) internal pure override returns (uint256) {
        require(kind == 3 || kind == 4, UnknownKind());
        return kind == 3 ? 8 : 6;
    }

    function _carryOut(Leaf memory, uint256, bytes32[] calldata) internal override {}
}

/// The contracts against the vectors that hold all implementations to the protocol. Every case is a call of its own:
/// a case reads its file anew, and memory is not kept.
contract VectorsTest {
    using Vectors for *;

    Ciro private immutable ciro = new Ciro(1);
    bool[22] private seen;

    function test_lanes_leaves_and_commitments_are_encoded_alike() public {
        string memory json = Vectors.read("encodings");
        for (uint256 i = 0; i < json.count(".lanes"); i++) {
            string memory key = Vectors.item(".lanes", i);
            JsonTarget memory to = json.target(string.concat(key, ".to"));
            if (!evm(to)) continue;
            bytes32 genesis = vm.parseJsonBytes32(json, string.concat(key, ".genesis"));
            vm.assertEq(
                Lane.to(genesis, uint256(to.chainId), addressOf(to)),
                vm.parseJsonBytes32(json, string.concat(key, ".lane"))
            );
        }
        for (uint256 i = 0; i < json.count(".leaves"); i++) {
            string memory key = Vectors.item(".leaves", i);
            JsonLeaf memory leaf = abi.decode(vm.parseJson(json, string.concat(key, ".leaf")), (JsonLeaf));
            bytes memory encoded = vm.parseJsonBytes(json, string.concat(key, ".encoded"));
            vm.assertEq(abi.encode(this.decode(encoded)), abi.encode(Vectors.leafOf(leaf)));
            vm.assertEq(ciro.encode(Vectors.leafOf(leaf)), encoded);
        }
        BeefyClient client = new BeefyClient(0, 1);
        for (uint256 i = 0; i < json.count(".commitments"); i++) {
            string memory key = Vectors.item(".commitments", i);
            Commitment memory commitment = Commitment(
                vm.parseJsonBytes32(json, string.concat(key, ".root")),
                uint32(vm.parseJsonUint(json, string.concat(key, ".block"))),
                uint64(vm.parseJsonUint(json, string.concat(key, ".set")))
            );
            vm.assertEq(client.digest(commitment), vm.parseJsonBytes32(json, string.concat(key, ".hash")));
        }
    }

    function test_merkle_proofs_lead_to_their_roots() public view {
        string memory json = Vectors.read("merkle");
        uint256 length = json.count(".cases");
        vm.assertTrue(length > 0);
        for (uint256 i = 0; i < length; i++) {
            this.leads(Vectors.item(".cases", i), "merkle");
        }
    }

    function test_mmr_proofs_lead_to_their_roots() public view {
        string memory json = Vectors.read("mmr");
        uint256 length = json.count(".cases");
        vm.assertTrue(length > 0);
        for (uint256 i = 0; i < length; i++) {
            this.leads(Vectors.item(".cases", i), "mmr");
        }
    }

    function test_clients_follow_sets_of_all_sizes() public {
        uint256 length = Vectors.read("handovers").count(".scenarios");
        vm.assertTrue(length > 0);
        for (uint256 i = 0; i < length; i++) {
            this.follow(Vectors.item(".scenarios", i));
        }
    }

    function test_messages_and_results_are_taken() public {
        string memory json = Vectors.read("messages");
        BeefyClient client = deploy(json.client(".client"));
        take(client, json.steps(".steps"));
        JsonProof memory proof = json.proof(".proof");
        uint256 delivered;
        for (uint256 i = 0; i < json.count(".deliveries"); i++) {
            string memory key = Vectors.item(".deliveries", i);
            JsonTarget memory to = json.target(string.concat(key, ".to"));
            if (!evm(to)) continue;
            uint256 kind = vm.parseJsonUintArray(json, string.concat(key, ".kinds"))[0];
            Inbox inbox = put(client, to, kind);
            vm.assertEq(inbox.lane(), vm.parseJsonBytes32(json, string.concat(key, ".lane")));
            Message[] memory messages = json.messages(string.concat(key, ".messages"));
            deliver(inbox, proof, messages);
            for (uint256 m = 0; m < messages.length; m++) {
                vm.assertTrue(inbox.taken(uint64(uint256(messages[m].words[1]))));
                delivered++;
            }
        }
        vm.assertTrue(delivered > 0);

        ResultRegistry registry = new ResultRegistry(client);
        ProvenResult[] memory results = json.results(".results");
        registry.proveResults(uint32(proof.blockNumber), bytesOf(proof.leaf), proof.items, results);
        for (uint256 i = 0; i < results.length; i++) {
            vm.assertTrue(registry.isVerified(results[i].job));
        }
    }

    /// All of them, each with its error by name, and each of the 21 mistakes of other bridges among them.
    function test_what_must_be_refused_is_refused_with_its_error() public {
        uint256 length = Vectors.read("negative").count(".cases");
        for (uint256 i = 0; i < length; i++) {
            uint256 state = vm.snapshotState();
            (uint256 number, bool applies) = this.refuse(Vectors.item(".cases", i));
            vm.revertToState(state);
            seen[number] = seen[number] || applies;
        }
        for (uint256 number = 0; number <= 21; number++) {
            vm.assertTrue(seen[number], string.concat("no case of mistake ", vm.toString(number)));
        }
    }

    function leads(string calldata key, string calldata file) external view {
        string memory json = Vectors.read(file);
        bytes32 leaf = keccak256(vm.parseJsonBytes(json, string.concat(key, ".leaf")));
        uint256 index = vm.parseJsonUint(json, string.concat(key, ".index"));
        uint256 length = vm.parseJsonUint(json, string.concat(key, ".count"));
        bytes32[] memory items = vm.parseJsonBytes32Array(json, string.concat(key, ".items"));
        bytes32 root = is_(file, "mmr") ? this.mmr(leaf, index, length, items) : this.merkle(leaf, index, length, items);
        vm.assertEq(root, vm.parseJsonBytes32(json, string.concat(key, ".root")));
    }

    function follow(string calldata key) external {
        string memory json = Vectors.read("handovers");
        BeefyClient client = deploy(json.client(string.concat(key, ".client")));
        take(client, json.steps(string.concat(key, ".steps")));
        vm.assertEq(client.newest(), vm.parseJsonUint(json, string.concat(key, ".newestBlock")));
        vm.assertEq(client.handOver(), vm.parseJsonUint(json, string.concat(key, ".handoverTime")));
        (uint64 id, uint32 length, bytes32 root) = client.current();
        vm.assertEq(abi.encode(id, length, root), vm.parseJson(json, string.concat(key, ".current")));
        (id, length, root) = client.next();
        vm.assertEq(abi.encode(id, length, root), vm.parseJson(json, string.concat(key, ".next")));
    }

    /// @return number of the mistake
    /// @return applies whether the case is one of an EVM contract
    function refuse(string calldata key) external returns (uint256 number, bool applies) {
        string memory json = Vectors.read("negative");
        string memory name = vm.parseJsonString(json, string.concat(key, ".name"));
        string memory kind = vm.parseJsonString(json, string.concat(key, ".call"));
        string memory arguments = string.concat(key, ".arguments");
        number = vm.parseJsonUint(json, string.concat(key, ".number"));
        if (is_(kind, "deliver") && !evm(json.target(string.concat(arguments, ".to")))) return (number, false);

        JsonClient memory genesis = json.client(string.concat(key, ".client"));
        string memory wanted = vm.parseJsonString(json, string.concat(key, ".error"));
        if (is_(kind, "deploy")) {
            assertError(name, wanted, tryDeploy(genesis));
            return (number, true);
        }
        BeefyClient client = deploy(genesis);
        take(client, json.steps(string.concat(key, ".before")));
        if (vm.parseJsonBool(json, string.concat(key, ".halted"))) client.halt();
        (address to, bytes memory call) = callOf(client, json, kind, arguments);
        if (is_(wanted, "HighS") && !sayable(json.update(string.concat(arguments, ".update")))) wanted = "WrongSigner";
        (bool done, bytes memory why) = to.call(call);
        vm.assertFalse(done);
        assertError(name, wanted, why);
        return (number, true);
    }

    function callOf(BeefyClient client, string memory json, string memory kind, string memory arguments)
        private
        returns (address to, bytes memory call)
    {
        if (is_(kind, "submit")) {
            vm.warp(vm.parseJsonUint(json, string.concat(arguments, ".now")));
            return (address(client), submission(json.update(string.concat(arguments, ".update"))));
        }
        JsonProof memory proof = json.proof(string.concat(arguments, ".proof"));
        (uint32 blockNumber, bytes memory leaf) = (uint32(proof.blockNumber), bytesOf(proof.leaf));
        if (is_(kind, "proveLeaf")) {
            return (address(client), abi.encodeCall(client.prove, (blockNumber, leaf, proof.items)));
        }
        if (is_(kind, "proveResult")) {
            ProvenResult[] memory one = new ProvenResult[](1);
            one[0] = json.result(string.concat(arguments, ".result"));
            ResultRegistry registry = new ResultRegistry(client);
            return (address(registry), abi.encodeCall(registry.proveResults, (blockNumber, leaf, proof.items, one)));
        }
        vm.assertTrue(is_(kind, "deliver"), kind);
        JsonTarget memory target = json.target(string.concat(arguments, ".to"));
        uint256[] memory kinds = vm.parseJsonUintArray(json, string.concat(arguments, ".kinds"));
        vm.assertEq(kinds.length, 1);
        Inbox inbox = put(client, target, kinds[0]);
        Message[] memory earlier = json.messages(string.concat(arguments, ".earlier"));
        if (earlier.length > 0) deliver(inbox, proof, earlier);
        Message[] memory messages = json.messages(string.concat(arguments, ".messages"));
        return (address(inbox), abi.encodeCall(inbox.deliver, (blockNumber, leaf, proof.items, messages)));
    }

    /// The contract that takes messages of this kind, at the vector's address on the vector's chain.
    function put(BeefyClient client, JsonTarget memory to, uint256 kind) private returns (Inbox) {
        vm.chainId(uint256(to.chainId));
        address target = addressOf(to);
        if (kind == 1) {
            vm.etch(target, address(new CiroToken(client)).code);
            CiroToken(target).initialize(address(this), address(this), type(uint128).max);
        } else if (kind == 2) {
            vm.etch(target, address(new ResultRegistry(client)).code);
        } else {
            vm.etch(target, address(new OtherInbox(client)).code);
        }
        return Inbox(target);
    }

    function deploy(JsonClient memory genesis) private returns (BeefyClient) {
        vm.warp(genesis.time);
        address implementation = address(new BeefyClient(genesis.genesis, uint64(genesis.expiry)));
        return BeefyClient(address(new ERC1967Proxy(implementation, initialization(genesis))));
    }

    function tryDeploy(JsonClient memory genesis) private returns (bytes memory why) {
        vm.warp(genesis.time);
        address implementation = address(new BeefyClient(genesis.genesis, uint64(genesis.expiry)));
        try new ERC1967Proxy(implementation, initialization(genesis)) {}
        catch (bytes memory reason) {
            why = reason;
        }
    }

    function initialization(JsonClient memory genesis) private view returns (bytes memory) {
        return abi.encodeCall(
            BeefyClient.initialize,
            (
                address(this),
                address(this),
                Vectors.setOf(genesis.current),
                Vectors.setOf(genesis.next),
                uint64(genesis.time)
            )
        );
    }

    function take(BeefyClient client, JsonStep[] memory steps) private {
        for (uint256 i = 0; i < steps.length; i++) {
            vm.warp(steps[i].time);
            (bool done,) = address(client).call(submission(steps[i].update));
            vm.assertTrue(done, "a step");
        }
    }

    function submission(JsonUpdate memory update) private view returns (bytes memory) {
        Submission memory s = update.submission(bytesOf(update.leaf));
        return
            abi.encodeCall(BeefyClient.submit, (s.commitment, s.validators, s.signers, s.signatures, s.leaf, s.proof));
    }

    function deliver(Inbox inbox, JsonProof memory proof, Message[] memory messages) private {
        inbox.deliver(uint32(proof.blockNumber), bytesOf(proof.leaf), proof.items, messages);
    }

    function bytesOf(JsonLeaf memory leaf) private view returns (bytes memory) {
        return ciro.encode(Vectors.leafOf(leaf));
    }

    /// In 64 bytes there is no room for an `s` of 2^255 or above. What is sent is another signature, and of no signer.
    function sayable(JsonUpdate memory update) private pure returns (bool) {
        for (uint256 i = 0; i < update.signatures.length; i++) {
            JsonSignature memory g = update.signatures[i];
            if (uint256(g.s) >> 255 != 0 && g.s != bytes32(type(uint256).max)) return false;
        }
        return true;
    }

    function evm(JsonTarget memory to) private pure returns (bool) {
        return is_(to.kind, "evm");
    }

    function addressOf(JsonTarget memory to) private pure returns (address) {
        return address(uint160(uint256(to.target)));
    }

    function is_(string memory a, string memory b) private pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }

    function assertError(string memory name, string memory wanted, bytes memory why) private pure {
        bytes4 expected = bytes4(keccak256(bytes(string.concat(wanted, "()"))));
        vm.assertEq(bytes32(bytes4(why)), bytes32(expected), string.concat(name, ": ", wanted));
        vm.assertEq(why.length, 4);
    }

    function merkle(bytes32 leaf, uint256 index, uint256 length, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return Merkle.root(leaf, index, length, path);
    }

    function mmr(bytes32 leaf, uint256 index, uint256 length, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return Mmr.root(leaf, index, length, proof);
    }

    function decode(bytes calldata leaf) external pure returns (Leaf memory) {
        return Leaves.decode(leaf);
    }
}
