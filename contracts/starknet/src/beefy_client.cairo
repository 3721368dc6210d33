//! The light client: follows Ciro's finality by the signatures of its validators, and proves leaves of its history.

#[starknet::contract]
mod BeefyClient {
    use ciro::hashing::{BytesTrait, reverse};
    use ciro::interfaces::IBeefyClient;
    use ciro::merkle::{binary_root, check_mountain};
    use ciro::signatures::{Signature, check_signatures};
    use ciro::timelock::Timelock;
    use ciro::types::{Commitment, Leaf, ProvenLeaf, ValidatorSet};
    use starknet::{ContractAddress, EthAddress, get_block_timestamp, get_caller_address};

    component!(path: Timelock, storage: timelock, event: TimelockEvent);
    #[abi(embed_v0)]
    impl TimelockImpl = Timelock::TimelockImpl<ContractState>;
    impl TimelockInternal = Timelock::InternalImpl<ContractState>;

    /// The largest set that one transaction can check.
    const MAX_VALIDATORS: u32 = 64;
    /// How far a leaf's time may be ahead of the chain's, in seconds.
    const MAX_LEAD: u64 = 600;
    /// For how long validators who left can still be slashed on Ciro, in seconds: a client must expire before.
    const UNBONDING: u64 = 604800;
    /// What the governor schedules in the timelock to end a halt.
    const RESUME: felt252 = 'resume';
    /// `04 "mh" 80`, the SCALE form of what comes before the root, as a little-endian number.
    const PAYLOAD_HEAD: u64 = 0x80686d04;

    #[storage]
    struct Storage {
        #[substorage(v0)]
        timelock: Timelock::Storage,
        genesis_hash: u256,
        guardian: ContractAddress,
        expiry: u64,
        current_set: ValidatorSet,
        next_set: ValidatorSet,
        handover_time: u64,
        newest_block: u32,
        roots: LegacyMap<u32, u256>,
        halted: bool,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    enum Event {
        #[flat]
        TimelockEvent: Timelock::Event,
        Updated: Updated,
        HandedOver: HandedOver,
        Halted: Halted,
        Resumed: Resumed,
    }

    /// A commitment was accepted.
    #[derive(Drop, starknet::Event)]
    struct Updated {
        #[key]
        block: u32,
        root: u256,
    }

    /// The set `id` took office.
    #[derive(Drop, starknet::Event)]
    struct HandedOver {
        #[key]
        id: u64,
        time: u64,
    }

    #[derive(Drop, starknet::Event)]
    struct Halted {}

    #[derive(Drop, starknet::Event)]
    struct Resumed {}

    /// `genesis_hash` is that of Ciro's first block. The two sets and the time, when the first of them took office, are
    /// what the client trusts; it lives for `expiry` seconds after each hand-over. `governor` may upgrade the contract
    /// `delay` seconds after announcing it; `guardian` may only halt it.
    #[constructor]
    fn constructor(
        ref self: ContractState,
        genesis_hash: u256,
        current_set: ValidatorSet,
        next_set: ValidatorSet,
        handover_time: u64,
        expiry: u64,
        governor: ContractAddress,
        delay: u64,
        guardian: ContractAddress
    ) {
        check_length(current_set);
        check_next(next_set, current_set.id);
        assert(0 < expiry && expiry < UNBONDING, 'BadExpiry');
        self.genesis_hash.write(genesis_hash);
        self.current_set.write(current_set);
        self.next_set.write(next_set);
        self.handover_time.write(handover_time);
        self.expiry.write(expiry);
        self.guardian.write(guardian);
        self.timelock.initialize(governor, delay);
    }

    #[abi(embed_v0)]
    impl BeefyClientImpl of IBeefyClient<ContractState> {
        fn submit(
            ref self: ContractState,
            commitment: Commitment,
            validators: Span<EthAddress>,
            signers: u64,
            signatures: Span<Signature>,
            handover: Option<ProvenLeaf>
        ) {
            let now = get_block_timestamp();
            assert(!self.halted.read(), 'Halted');
            assert(now <= self.handover_time.read() + self.expiry.read(), 'Expired');
            assert(commitment.block > self.newest_block.read(), 'StaleCommitment');

            let current = self.current_set.read();
            let next = self.next_set.read();
            let is_handover = commitment.set == next.id;
            assert(is_handover || commitment.set == current.id, 'UnknownSet');
            let set = if is_handover { next } else { current };
            check_validators(set, validators);
            let signing = signing(validators, signers);
            assert(signing.len() >= set.length - (set.length - 1) / 3, 'TooFewSigners');
            assert(signing.len() == signatures.len(), 'WrongSignatureCount');
            check_signatures(hash_of(commitment), signing, signatures);

            match handover {
                Option::Some(proven) => {
                    assert(is_handover, 'UnexpectedLeaf');
                    self.hand_over(commitment, proven, now);
                },
                Option::None => assert(!is_handover, 'MissingLeaf'),
            }
            self.roots.write(commitment.block, commitment.root);
            self.newest_block.write(commitment.block);
            self.emit(Updated { block: commitment.block, root: commitment.root });
        }

        fn check_leaf(self: @ContractState, block: u32, proven: ProvenLeaf) {
            assert(!self.halted.read(), 'Halted');
            let root = self.roots.read(block);
            assert(root != 0, 'UnknownRoot');
            check_proof(proven, block, root);
        }

        fn halt(ref self: ContractState) {
            assert(get_caller_address() == self.guardian.read(), 'NotGuardian');
            assert(!self.halted.read(), 'Halted');
            self.halted.write(true);
            // The end of a halt cannot be announced before its beginning.
            self.timelock.forget(RESUME);
            self.emit(Halted {});
        }

        fn resume(ref self: ContractState) {
            self.timelock.carry_out(RESUME);
            self.halted.write(false);
            self.emit(Resumed {});
        }

        fn genesis_hash(self: @ContractState) -> u256 {
            self.genesis_hash.read()
        }

        fn validator_sets(self: @ContractState) -> (ValidatorSet, ValidatorSet) {
            (self.current_set.read(), self.next_set.read())
        }

        fn handover_time(self: @ContractState) -> u64 {
            self.handover_time.read()
        }

        fn expiry(self: @ContractState) -> u64 {
            self.expiry.read()
        }

        fn newest_block(self: @ContractState) -> u32 {
            self.newest_block.read()
        }

        fn root(self: @ContractState, block: u32) -> u256 {
            self.roots.read(block)
        }

        fn is_halted(self: @ContractState) -> bool {
            self.halted.read()
        }
    }

    #[generate_trait]
    impl Internal of InternalTrait {
        /// Puts the next set, which has signed `commitment`, into office.
        fn hand_over(ref self: ContractState, commitment: Commitment, proven: ProvenLeaf, now: u64) {
            check_proof(proven, commitment.block, commitment.root);
            let leaf = proven.leaf;
            check_next(leaf.next_set, commitment.set);
            assert(leaf.time <= now + MAX_LEAD, 'LeafFromFuture');
            self.current_set.write(self.next_set.read());
            self.next_set.write(leaf.next_set);
            let time = if leaf.time < now { leaf.time } else { now };
            if time > self.handover_time.read() {
                self.handover_time.write(time);
            }
            self.emit(HandedOver { id: commitment.set, time });
        }
    }

    fn check_length(set: ValidatorSet) {
        assert(0 < set.length && set.length <= MAX_VALIDATORS, 'WrongSetLength');
    }

    /// `set` must be one that can follow the set with the id `current`.
    fn check_next(set: ValidatorSet, current: u64) {
        assert(set.id == current + 1, 'WrongNextSet');
        check_length(set);
    }

    /// The addresses must be exactly the set's.
    fn check_validators(set: ValidatorSet, mut validators: Span<EthAddress>) {
        assert(validators.len() == set.length, 'WrongAddressCount');
        let mut leaves = array![];
        let mut has_zero = false;
        while let Option::Some(validator) = validators.pop_front() {
            let address: felt252 = (*validator).into();
            has_zero = has_zero || address == 0;
            let mut bytes = BytesTrait::new();
            bytes.append_address(address.into());
            leaves.append(bytes.keccak());
        };
        assert(binary_root(leaves) == reverse(set.root), 'WrongSetRoot');
        assert(!has_zero, 'ZeroAddress');
    }

    /// The validators whose bits are set in `signers`.
    fn signing(mut validators: Span<EthAddress>, signers: u64) -> Span<EthAddress> {
        let mut signing = array![];
        let mut bits = signers;
        while let Option::Some(validator) = validators.pop_front() {
            if bits % 2 == 1 {
                signing.append(*validator);
            }
            bits /= 2;
        };
        assert(bits == 0, 'SignerOutOfRange');
        signing.span()
    }

    /// The hash that validators sign, big-endian.
    fn hash_of(commitment: Commitment) -> u256 {
        let mut bytes = BytesTrait::new();
        bytes.append_le(PAYLOAD_HEAD, 4);
        bytes.append_word(commitment.root);
        bytes.append_le(commitment.block.into(), 4);
        bytes.append_le(commitment.set, 8);
        reverse(bytes.keccak())
    }

    /// The leaf must be about a block before `block`, and be proven by the root that `block` committed to.
    fn check_proof(proven: ProvenLeaf, block: u32, root: u256) {
        let ProvenLeaf { leaf, proof } = proven;
        let mut bytes = BytesTrait::new();
        bytes.append_le(0, 1);
        bytes.append_le(leaf.parent_number.into(), 4);
        bytes.append_word(leaf.parent_hash);
        bytes.append_le(leaf.next_set.id, 8);
        bytes.append_le(leaf.next_set.length.into(), 4);
        bytes.append_word(leaf.next_set.root);
        bytes.append_le(leaf.time, 8);
        bytes.append_word(leaf.messages_root);
        bytes.append_word(leaf.results_root);
        check_mountain(reverse(root), bytes.keccak(), leaf.parent_number, block, proof);
    }
}
