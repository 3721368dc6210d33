// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BeefyClient, Commitment} from "../src/BeefyClient.sol";
import {Leaf, Leaves} from "../src/lib/Leaf.sol";
import {Mmr} from "../src/lib/Mmr.sol";
import {Deployment} from "../script/Deployment.sol";
import {vm} from "../script/Vm.sol";
import {Ciro, Submission, Validators} from "./support/Ciro.sol";
import {Test} from "./support/Test.sol";

/// Gas of whole transactions, data included, as they are once a chain is some years old: each call is a transaction of its
/// own with nothing warm, the MMR has ten million leaves, and what is written again and again was written before.
/// `snapshots/gas.json` holds the gas and `snapshots/bytes.json` the length of the call's data.
/// forge-config: default.isolate = true
contract GasTest is Test {
    uint32 private constant HEIGHT = 10_000_000;

    uint64 private nonce;
    uint64 private job;
    uint32 private height;

    function test_gas_of_updates() public {
        uint256[3] memory sizes = [uint256(4), 21, 64];
        for (uint256 i = 0; i < 3; i++) {
            begin(sizes[i]);
            string memory validators = string.concat(" of ", vm.toString(sizes[i]), " validators");
            measure(address(c.client), update(0), string.concat("update, current set", validators));
            ciro.rotate();
            measure(address(c.client), update(1), string.concat("update, hand-over", validators));
            vm.snapshotValue("bytes", string.concat("update, unpacked", validators), unpacked().length);
        }
    }

    function test_gas_of_messages() public {
        begin(4);
        uint256[3] memory counts = [uint256(1), 10, 50];
        for (uint256 i = 0; i < 3; i++) {
            bytes32[][] memory messages = new bytes32[][](counts[i]);
            for (uint256 m = 0; m < counts[i]; m++) {
                address holder = address(uint160(uint256(keccak256(abi.encode("a new holder", nonce)))));
                bytes32 refund = keccak256(abi.encode("account", nonce));
                messages[m] = ciro.mint(c.token.lane(), nonce++, holder, 1.2345 ether, START + 1 days, refund);
            }
            measureDelivery(messages, new bytes32[][](0), string.concat(vm.toString(counts[i]), " mint"));
        }
        bytes32[][] memory one = new bytes32[][](1);
        one[0] = ciro.resultMessage(c.registry.lane(), 1, job++);
        measureDelivery(one, new bytes32[][](0), "1 result by message");
    }

    function test_gas_of_results() public {
        begin(4);
        uint256[3] memory counts = [uint256(1), 10, 50];
        for (uint256 i = 0; i < 3; i++) {
            bytes32[][] memory results = new bytes32[][](counts[i]);
            for (uint256 m = 0; m < counts[i]; m++) {
                results[m] = ciro.resultLeaf(job++);
            }
            measureDelivery(new bytes32[][](0), results, string.concat(vm.toString(counts[i]), " result by leaf"));
        }
    }

    function test_gas_of_bridging() public {
        begin(4);
        bytes memory call = abi.encodeCall(c.token.bridge, (keccak256("lane"), keccak256("there"), 1 ether, ACCOUNT));
        vm.startPrank(ALICE);
        (bool first,) = address(c.token).call(call);
        vm.assertTrue(first);
        measure(address(c.token), call, "bridge");
        vm.stopPrank();
    }

    /// Contracts that have taken a commitment, a message and a hand-over before.
    function begin(uint256 size) private {
        ciro = new Ciro(size);
        c = Deployment.deploy(config());
        (height, nonce, job) = (HEIGHT, 0, 0);
        send(update(0));
        bytes32[][] memory messages = new bytes32[][](2);
        messages[0] = ciro.mint(c.token.lane(), nonce++, ALICE, 10 ether, START + 1 days, ACCOUNT);
        messages[1] = ciro.resultMessage(c.registry.lane(), 0, job++);
        (bytes memory mint, bytes memory result) = deliveries(messages);
        (bool minted,) = address(c.token).call(mint);
        (bool recorded,) = address(c.registry).call(result);
        vm.assertTrue(minted && recorded);
    }

    function deliveries(bytes32[][] memory messages) private returns (bytes memory mint, bytes memory result) {
        uint32 parent = ciro.author(messages, new bytes32[][](0));
        (bytes memory leaf, bytes32[] memory proof) = accept(parent, ciro.leaf(parent));
        mint = abi.encodeCall(c.token.deliver, (height, leaf, proof, only(ciro.message(parent, 0))));
        result = abi.encodeCall(c.token.deliver, (height, leaf, proof, only(ciro.message(parent, 1))));
    }

    function measureDelivery(bytes32[][] memory messages, bytes32[][] memory results, string memory name) private {
        uint32 parent = ciro.author(messages, results);
        (bytes memory leaf, bytes32[] memory proof) = accept(parent, ciro.leaf(parent));
        if (results.length > 0) {
            bytes memory call = abi.encodeCall(c.registry.proveResults, (height, leaf, proof, ciro.results(parent)));
            return measure(address(c.registry), call, name);
        }
        bool mint = messages[0][0] == c.token.lane();
        address to = mint ? address(c.token) : address(c.registry);
        measure(to, abi.encodeCall(c.token.deliver, (height, leaf, proof, ciro.messages(parent))), name);
    }

    /// A commitment of the set in office to the next block; the one of set 1 hands over.
    function update(uint64 set) private returns (bytes memory) {
        Leaf memory leaf = Leaf(++height - 1, keccak256("parent"), ciro.validators(set + 1).set, uint64(START), 0, 0);
        (bytes memory encoded, bytes32[] memory proof, bytes32 root) = prove(leaf);
        Submission memory s = signed(Commitment(root, height, set));
        if (set == 1) (s.leaf, s.proof) = (encoded, proof);
        return
            abi.encodeCall(BeefyClient.submit, (s.commitment, s.validators, s.signers, s.signatures, s.leaf, s.proof));
    }

    /// What a commitment of the current set takes if addresses and signatures are lists of the ABI's own types.
    function unpacked() private view returns (bytes memory) {
        Validators memory by = ciro.validators(0);
        address[] memory addresses = new address[](by.keys.length);
        uint8[] memory v = new uint8[](ciro.quorum(by.keys.length));
        bytes32[2][] memory rs = new bytes32[2][](v.length);
        Commitment memory commitment = Commitment(keccak256("root"), height, 0);
        return abi.encodeWithSelector(
            BeefyClient.submit.selector, commitment, addresses, uint256(0), v, rs, "", new bytes32[](0)
        );
    }

    /// Makes the client know a root under which the leaf is one of ten million.
    function accept(uint32 parent, bytes memory told) private returns (bytes memory encoded, bytes32[] memory proof) {
        height += 5;
        Leaf memory leaf = this.decode(told);
        (leaf.parent, leaf.parentHash) = (height - 3, keccak256(abi.encode(parent)));
        bytes32 root;
        (encoded, proof, root) = prove(leaf);
        submit(signed(Commitment(root, height, ciro.session())));
    }

    function signed(Commitment memory commitment) private view returns (Submission memory s) {
        s.commitment = commitment;
        Validators memory by = ciro.validators(commitment.set);
        return ciro.sign(s, by, ciro.quorum(by.keys.length));
    }

    /// A proof whose other nodes are arbitrary, as many as the place asks for.
    function prove(Leaf memory leaf) private view returns (bytes memory encoded, bytes32[] memory proof, bytes32 root) {
        encoded = ciro.encode(leaf);
        for (uint256 length = 0;; length++) {
            proof = new bytes32[](length);
            for (uint256 i = 0; i < length; i++) {
                proof[i] = keccak256(abi.encode("node", i));
            }
            try this.mmr(keccak256(encoded), leaf.parent, height, proof) returns (bytes32 led) {
                return (encoded, proof, led);
            } catch {}
        }
    }

    function send(bytes memory call) private {
        (bool done,) = address(c.client).call(call);
        vm.assertTrue(done);
    }

    function measure(address to, bytes memory call, string memory name) private {
        (bool done,) = to.call(call);
        vm.assertTrue(done, name);
        vm.snapshotValue("gas", name, vm.lastCallGas().gasTotalUsed);
        vm.snapshotValue("bytes", name, call.length);
    }

    function mmr(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof) external pure returns (bytes32) {
        return Mmr.root(leaf, index, count, proof);
    }

    function decode(bytes calldata leaf) external pure returns (Leaf memory) {
        return Leaves.decode(leaf);
    }
}
