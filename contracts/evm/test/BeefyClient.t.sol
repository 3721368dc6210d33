// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import "../src/Errors.sol";
import {BeefyClient} from "../src/BeefyClient.sol";
import {Leaf, ValidatorSet} from "../src/lib/Leaf.sol";
import {vm} from "../script/Vm.sol";
import {Ciro, Submission} from "./support/Ciro.sol";
import {Test} from "./support/Test.sol";
import {Trees} from "./support/Trees.sol";

contract BeefyClientTest is Test {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function setUp() public override {
        super.setUp();
        block_();
        block_();
        block_();
    }

    function test_a_commitment_of_the_current_set_is_taken() public {
        Submission memory s = ciro.commit();
        submit(s);
        vm.assertEq(c.client.newest(), 3);
        vm.assertEq(c.client.roots(3), s.commitment.root);
        vm.assertEq(c.client.handOver(), START);
        assertCurrent(0);
    }

    function test_the_digest_is_that_of_the_scale_form() public view {
        Submission memory s = ciro.commit();
        vm.assertEq(c.client.digest(s.commitment), ciro.digest(s.commitment));
    }

    function test_a_halted_client_takes_no_commitment() public {
        Submission memory s = ciro.commit();
        vm.prank(GUARDIAN);
        c.client.halt();
        refused(s, Halted.selector);
        vm.prank(address(c.timelock));
        c.client.resume();
        submit(s);
    }

    function test_an_expired_client_takes_no_commitment() public {
        Submission memory s = ciro.commit();
        vm.warp(START + 5 days + 1);
        refused(s, Expired.selector);
        vm.warp(START + 5 days);
        submit(s);
    }

    function test_commitments_of_the_current_set_do_not_keep_a_client_alive() public {
        vm.warp(START + 4 days);
        submit(ciro.commit());
        vm.warp(START + 5 days + 1);
        block_();
        refused(ciro.commit(), Expired.selector);
    }

    function test_a_block_that_is_not_newer_is_refused() public {
        Submission memory s = ciro.commit();
        submit(s);
        refused(s, StaleCommitment.selector);
        s.commitment.blockNumber = 2;
        ciroSigns(s, 0);
        refused(s, StaleCommitment.selector);
    }

    function test_a_set_that_is_neither_current_nor_next_is_refused() public {
        block_();
        refused(ciro.commitBy(2), UnknownSet.selector);
        handOver();
        block_();
        refused(ciro.commitBy(0), UnknownSet.selector);
    }

    function test_another_number_of_addresses_is_refused() public {
        Submission memory s = ciro.commit();
        bytes memory all = s.validators;
        s.validators = slice(all, 60);
        refused(s, WrongAddressCount.selector);
        s.validators = bytes.concat(all, bytes20(uint160(1)));
        refused(s, WrongAddressCount.selector);
        s.validators = bytes.concat(all, hex"01");
        refused(s, WrongAddressCount.selector);
    }

    function test_addresses_of_another_set_or_order_are_refused() public {
        Submission memory s = ciro.commit();
        s.validators = ciro.validators(1).addresses;
        refused(s, WrongSetRoot.selector);
        s.validators = ciro.validators(0).addresses;
        (s.validators[0], s.validators[20]) = (s.validators[20], s.validators[0]);
        refused(s, WrongSetRoot.selector);
    }

    /// A key that has no address is zero in the set, and so is what a bad signature recovers to.
    function test_a_set_with_a_zero_address_is_refused() public {
        Submission memory s = ciro.commit();
        bytes memory holed = bytes.concat(slice(s.validators, 60), bytes20(0));
        bytes32[] memory hashes = new bytes32[](4);
        for (uint256 i = 0; i < 4; i++) {
            hashes[i] = keccak256(part(holed, 20 * i, 20));
        }
        ValidatorSet memory set = ValidatorSet(1, 4, Trees.merkleRoot(hashes));
        // A leaf that hands over to that set's successor makes it the next one.
        handOverTo(ValidatorSet(2, 4, set.root));
        block_();
        s = ciro.commitBy(2);
        s.validators = holed;
        refused(s, ZeroAddress.selector);
    }

    function test_a_signer_outside_the_set_is_refused() public {
        Submission memory s = ciro.commit();
        s.signers |= 1 << 4;
        s.signatures = bytes.concat(s.signatures, new bytes(64));
        refused(s, SignerOutOfRange.selector);
        s = ciro.commit();
        s.signers |= 1 << 255;
        refused(s, SignerOutOfRange.selector);
    }

    function test_two_thirds_are_not_enough() public {
        Submission memory s = ciro.commit();
        ciroSigns(s, 0, 2);
        refused(s, TooFewSigners.selector);
        ciroSigns(s, 0, 4);
        submit(s);
    }

    function test_one_more_or_one_less_signature_than_signers_is_refused() public {
        Submission memory s = ciro.commit();
        bytes memory all = s.signatures;
        s.signatures = slice(all, 128);
        refused(s, WrongSignatureCount.selector);
        s.signatures = bytes.concat(all, new bytes(64));
        refused(s, WrongSignatureCount.selector);
        s.signatures = slice(all, 191);
        refused(s, WrongSignatureCount.selector);
    }

    function test_one_validator_cannot_sign_for_two() public {
        Submission memory s = ciro.commit();
        bytes memory first = slice(s.signatures, 64);
        s.signatures = bytes.concat(first, first, part(s.signatures, 128, 64));
        refused(s, WrongSigner.selector);
    }

    function test_signatures_in_another_order_are_refused() public {
        Submission memory s = ciro.commit();
        s.signatures = bytes.concat(part(s.signatures, 64, 64), slice(s.signatures, 64), part(s.signatures, 128, 64));
        refused(s, WrongSigner.selector);
    }

    function test_signatures_over_another_commitment_are_refused() public {
        Submission memory s = ciro.commit();
        s.commitment.root = keccak256("another root");
        refused(s, WrongSigner.selector);
        s = ciro.commit();
        s.commitment.blockNumber = 4;
        refused(s, WrongSigner.selector);
    }

    /// The current set's signatures say nothing in the name of the next.
    function test_the_current_set_cannot_sign_for_the_next() public {
        Submission memory s = ciro.commit();
        s.commitment.set = 1;
        ciroSigns(s, 0);
        refused(s, WrongSetRoot.selector);
        s.validators = ciro.validators(1).addresses;
        refused(s, WrongSigner.selector);
    }

    /// `s` and `n − s` are two signatures of one signer. The larger one does not even fit beside the parity bit, unless it
    /// is just above the half.
    function test_the_larger_s_is_refused() public {
        Submission memory s = ciro.commit();
        bytes32 r = bytes32(part(s.signatures, 0, 32));
        uint256 vs = uint256(bytes32(part(s.signatures, 32, 32)));
        uint256 high = ORDER - (vs & (type(uint256).max >> 1));
        bytes memory rest = part(s.signatures, 64, 128);
        s.signatures = bytes.concat(abi.encode(r, ORDER / 2 + 1), rest);
        refused(s, HighS.selector);
        s.signatures = bytes.concat(abi.encode(r, high), rest);
        refused(s, WrongSigner.selector);
        s.signatures = bytes.concat(abi.encode(r, vs ^ (1 << 255)), rest);
        refused(s, WrongSigner.selector);
    }

    function test_a_signature_that_nobody_can_have_made_is_refused() public {
        Submission memory s = ciro.commit();
        s.signatures = bytes.concat(new bytes(64), part(s.signatures, 64, 128));
        refused(s, WrongSigner.selector);
    }

    function test_a_hand_over_makes_the_next_set_the_current_one() public {
        vm.warp(START + 1 days);
        block_();
        handOver();
        assertCurrent(1);
        vm.assertEq(c.client.handOver(), START + 1 days);
        vm.assertEq(c.client.newest(), 5);
        block_();
        submit(ciro.commit());
    }

    function test_hand_overs_keep_a_client_alive() public {
        for (uint256 i = 1; i <= 4; i++) {
            vm.warp(START + i * 4 days);
            handOver();
        }
        assertCurrent(4);
    }

    function test_a_hand_over_needs_a_leaf() public {
        ciro.rotate();
        block_();
        refused(ciro.commit(), MissingLeaf.selector);
    }

    function test_a_commitment_of_the_current_set_brings_no_leaf() public {
        refused(ciro.handOver(), UnexpectedLeaf.selector);
        Submission memory s = ciro.commit();
        s.proof = new bytes32[](1);
        refused(s, UnexpectedLeaf.selector);
    }

    function test_a_leaf_must_be_in_the_new_root() public {
        ciro.rotate();
        block_();
        Submission memory s = ciro.handOver();
        s.leaf[5] ^= 0x01;
        refused(s, WrongLeafProof.selector);
    }

    /// A leaf of the session before is as true as a newer one, but it names the set that is taking over.
    function test_an_older_leaf_does_not_hand_over() public {
        ciro.rotate();
        block_();
        Submission memory s = ciro.handOver();
        s.leaf = ciro.leaf(2);
        s.proof = ciro.proof(2, 4);
        refused(s, WrongNextSet.selector);
    }

    function test_a_leaf_of_no_block_before_the_commitment_is_refused() public {
        ciro.rotate();
        Leaf memory leaf = leafOf(ciro.validators(2).set);
        leaf.parent = 4;
        ciro.append(leaf);
        Submission memory s = ciro.commit();
        s.leaf = ciro.leaf(3);
        s.proof = ciro.proof(3, 4);
        refused(s, LeafOutOfRange.selector);
    }

    function test_a_next_set_that_is_empty_or_too_large_is_refused() public {
        refusesNext(ValidatorSet(2, 0, 0), WrongSetLength.selector);
        refusesNext(ValidatorSet(2, 65, keccak256("65")), WrongSetLength.selector);
        refusesNext(ValidatorSet(3, 4, keccak256("a set left out")), WrongNextSet.selector);
    }

    function test_a_leaf_from_the_future_is_refused() public {
        ciro.rotate();
        vm.warp(START + 10 minutes + 1);
        block_();
        Submission memory s = ciro.handOver();
        vm.warp(START);
        refused(s, LeafFromFuture.selector);
        vm.warp(START + 1);
        submit(s);
        vm.assertEq(c.client.handOver(), START + 1);
    }

    function test_the_time_of_the_hand_over_never_goes_back() public {
        vm.warp(START - 1 days);
        handOver();
        assertCurrent(1);
        vm.assertEq(c.client.handOver(), START);
    }

    function test_a_leaf_of_another_form_is_refused() public {
        ciro.rotate();
        block_();
        Submission memory s = ciro.handOver();
        s.leaf = slice(s.leaf, 152);
        refused(s, MalformedLeaf.selector);
        s = ciro.handOver();
        s.leaf = bytes.concat(s.leaf, hex"00");
        refused(s, MalformedLeaf.selector);
        s = ciro.handOver();
        s.leaf[0] = 0x01;
        refused(s, MalformedLeaf.selector);
    }

    function test_every_leaf_is_proven_in_every_known_root() public {
        submit(ciro.commit());
        block_();
        block_();
        submit(ciro.commit());
        for (uint32 parent = 0; parent < 5; parent++) {
            Leaf memory leaf = c.client.prove(5, ciro.leaf(parent), ciro.proof(parent, 5));
            vm.assertEq(leaf.parent, parent);
            vm.assertEq(leaf.next.id, 1);
            vm.assertEq(leaf.next.length, 4);
            vm.assertEq(leaf.next.root, ciro.validators(1).set.root);
            vm.assertEq(leaf.time, START);
            vm.assertEq(ciro.encode(leaf), ciro.leaf(parent));
            if (parent < 3) c.client.prove(3, ciro.leaf(parent), ciro.proof(parent, 3));
        }
    }

    function test_a_leaf_is_not_proven_in_another_blocks_root() public {
        submit(ciro.commit());
        block_();
        submit(ciro.commit());
        provesNot(4, ciro.leaf(0), ciro.proof(0, 3), WrongLeafProof.selector);
        provesNot(3, ciro.leaf(3), ciro.proof(0, 3), LeafOutOfRange.selector);
        provesNot(4, ciro.leaf(1), ciro.proof(0, 4), WrongLeafProof.selector);
        provesNot(5, ciro.leaf(0), ciro.proof(0, 4), UnknownRoot.selector);
        provesNot(0, ciro.leaf(0), new bytes32[](0), UnknownRoot.selector);
    }

    function test_a_proof_has_no_item_more_or_less() public {
        submit(ciro.commit());
        bytes32[] memory proof = ciro.proof(0, 3);
        vm.assertEq(proof.length, 2);
        provesNot(3, ciro.leaf(0), new bytes32[](0), WrongLeafProofLength.selector);
        provesNot(3, ciro.leaf(0), new bytes32[](1), WrongLeafProofLength.selector);
        provesNot(3, ciro.leaf(0), new bytes32[](3), WrongLeafProofLength.selector);
    }

    function test_a_halted_client_proves_nothing() public {
        submit(ciro.commit());
        vm.prank(GUARDIAN);
        c.client.halt();
        provesNot(3, ciro.leaf(0), ciro.proof(0, 3), Halted.selector);
    }

    function test_roots_stay_good_after_the_expiry() public {
        submit(ciro.commit());
        vm.warp(START + 30 days);
        c.client.prove(3, ciro.leaf(0), ciro.proof(0, 3));
    }

    function test_sets_of_every_size_are_followed() public {
        uint256[] memory sizes = new uint256[](8);
        (sizes[0], sizes[1], sizes[2], sizes[3]) = (1, 2, 3, 5);
        (sizes[4], sizes[5], sizes[6], sizes[7]) = (7, 21, 63, 64);
        for (uint256 i = 0; i < sizes.length; i++) {
            Ciro other = new Ciro(sizes[i]);
            (ciro, c.client) = (other, client(other.validators(0).set, other.validators(1).set));
            block_();
            Submission memory s = ciro.commit();
            ciroSigns(s, 0, ciro.quorum(sizes[i]) - 1);
            refused(s, TooFewSigners.selector);
            submit(ciro.commit());
            handOver();
            assertCurrent(1);
        }
    }

    function test_a_genesis_names_two_sets_in_a_row() public {
        ValidatorSet memory first = ciro.validators(0).set;
        ValidatorSet memory second = ciro.validators(1).set;
        refusesGenesis(first, ciro.validators(2).set, START, WrongNextSet.selector);
        refusesGenesis(ValidatorSet(0, 0, 0), second, START, WrongSetLength.selector);
        refusesGenesis(first, ValidatorSet(1, 65, second.root), START, WrongSetLength.selector);
        refusesGenesis(first, second, START + 1, BeefyClient.GenesisFromFuture.selector);
    }

    function test_validators_can_be_slashed_for_longer_than_a_client_lives() public {
        vm.expectRevert(BeefyClient.BadExpiry.selector);
        new BeefyClient(bytes32(0), 7 days);
        vm.expectRevert(BeefyClient.BadExpiry.selector);
        new BeefyClient(bytes32(0), 0);
    }

    function testFuzz_changing_any_byte_of_a_submission_refuses_it(uint256 seed) public {
        ciro.rotate();
        block_();
        Submission memory s = ciro.handOver();
        bytes1 flip = bytes1(uint8(1 << (seed % 8)));
        uint256 place = (seed >> 3) % (s.validators.length + s.signatures.length + s.leaf.length);
        if (place < s.validators.length) {
            s.validators[place] ^= flip;
        } else if (place < s.validators.length + s.signatures.length) {
            s.signatures[place - s.validators.length] ^= flip;
        } else {
            s.leaf[place - s.validators.length - s.signatures.length] ^= flip;
        }
        (bool taken,) = address(c.client)
            .call(
                abi.encodeCall(
                    BeefyClient.submit, (s.commitment, s.validators, s.signers, s.signatures, s.leaf, s.proof)
                )
            );
        vm.assertFalse(taken);
        submit(ciro.handOver());
    }

    function block_() private {
        ciro.author(new bytes32[][](0), new bytes32[][](0));
    }

    function handOver() private {
        ciro.rotate();
        block_();
        submit(ciro.handOver());
    }

    function handOverTo(ValidatorSet memory next) private {
        ciro.rotate();
        ciro.append(leafOf(next));
        submit(ciro.handOver());
    }

    function leafOf(ValidatorSet memory next) private view returns (Leaf memory) {
        return Leaf(ciro.height(), bytes32(0), next, uint64(block.timestamp), 0, 0);
    }

    /// The chain goes back to where it was.
    function refusesNext(ValidatorSet memory next, bytes4 why) private {
        Ciro before = ciro;
        ciro = new Ciro(4);
        for (uint256 i = 0; i < 3; i++) {
            block_();
        }
        ciro.rotate();
        ciro.append(leafOf(next));
        refused(ciro.handOver(), why);
        ciro = before;
    }

    function refusesGenesis(ValidatorSet memory first, ValidatorSet memory second, uint256 time, bytes4 why) private {
        address implementation = address(new BeefyClient(bytes32(0), 5 days));
        vm.expectRevert(why);
        new ERC1967Proxy(
            implementation,
            abi.encodeCall(BeefyClient.initialize, (address(this), GUARDIAN, first, second, uint64(time)))
        );
    }

    function client(ValidatorSet memory first, ValidatorSet memory second) private returns (BeefyClient) {
        address implementation = address(new BeefyClient(bytes32(0), 5 days));
        bytes memory call =
            abi.encodeCall(BeefyClient.initialize, (address(this), GUARDIAN, first, second, uint64(block.timestamp)));
        return BeefyClient(address(new ERC1967Proxy(implementation, call)));
    }

    function provesNot(uint32 blockNumber, bytes memory leaf, bytes32[] memory proof, bytes4 why) private {
        vm.expectRevert(why);
        c.client.prove(blockNumber, leaf, proof);
    }

    function ciroSigns(Submission memory s, uint64 set) private view {
        ciroSigns(s, set, 3);
    }

    function ciroSigns(Submission memory s, uint64 set, uint256 count) private view {
        Submission memory signed = ciro.sign(s, ciro.validators(set), count);
        (s.validators, s.signers, s.signatures) = (signed.validators, signed.signers, signed.signatures);
    }

    function assertCurrent(uint64 id) private view {
        (uint64 current,, bytes32 root) = c.client.current();
        (uint64 next,, bytes32 nextRoot) = c.client.next();
        vm.assertEq(current, id);
        vm.assertEq(next, id + 1);
        vm.assertEq(root, ciro.validators(id).set.root);
        vm.assertEq(nextRoot, ciro.validators(id + 1).set.root);
    }
}
