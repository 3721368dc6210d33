//! What Ciro's chain verified by proofs, for contracts on Starknet to read.

#[starknet::contract]
mod ResultRegistry {
    use ciro::hashing::{reverse, words};
    use ciro::interfaces::IResultRegistry;
    use ciro::lane::{Handler, Lane};
    use ciro::merkle::check_path;
    use ciro::timelock::Timelock;
    use ciro::types::{ComputeResult, ProvenLeaf, ProvenResult};
    use core::poseidon::poseidon_hash_span;
    use starknet::ContractAddress;

    component!(path: Timelock, storage: timelock, event: TimelockEvent);
    component!(path: Lane, storage: lane, event: LaneEvent);
    #[abi(embed_v0)]
    impl TimelockImpl = Timelock::TimelockImpl<ContractState>;
    impl TimelockInternal = Timelock::InternalImpl<ContractState>;
    #[abi(embed_v0)]
    impl LaneImpl = Lane::LaneImpl<ContractState>;
    impl LaneInternal = Lane::InternalImpl<ContractState>;

    /// The kind of message.
    const RESULT: u256 = 2;
    /// keccak("ciro/result/1"), the first word of a leaf of results.
    const DOMAIN: u256 = 0xdd2e0087ef91ebed1b2d3c0a3dbe52b4f226e27ee19036800ea35bf7ec9710be;

    #[storage]
    struct Storage {
        #[substorage(v0)]
        timelock: Timelock::Storage,
        #[substorage(v0)]
        lane: Lane::Storage,
        /// Each job's result by its hash: whoever reads one knows it, and a hash is one slot where the result is six.
        results: LegacyMap<u64, felt252>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    enum Event {
        #[flat]
        TimelockEvent: Timelock::Event,
        #[flat]
        LaneEvent: Lane::Event,
        Recorded: Recorded,
    }

    /// A job's result was recorded.
    #[derive(Drop, starknet::Event)]
    struct Recorded {
        #[key]
        job: u64,
        result: ComputeResult,
    }

    #[constructor]
    fn constructor(
        ref self: ContractState, client: ContractAddress, governor: ContractAddress, delay: u64
    ) {
        self.timelock.initialize(governor, delay);
        self.lane.initialize(client);
    }

    #[abi(embed_v0)]
    impl ResultRegistryImpl of IResultRegistry<ContractState> {
        fn record(
            ref self: ContractState, block: u32, proven: ProvenLeaf, mut results: Span<ProvenResult>
        ) {
            self.lane.check_leaf(block, proven);
            let root = reverse(proven.leaf.results_root);
            while let Option::Some(item) = results.pop_front() {
                let ProvenResult { job, result, index, count, path } = *item;
                let leaf = words(
                    array![DOMAIN, job.into(), result.model, result.input_commitment, result.output_hash]
                        .span()
                );
                check_path(root, leaf, index, count, path);
                self.note(job, result);
            };
        }

        fn is_proven(self: @ContractState, job: u64, result: ComputeResult) -> bool {
            self.results.read(job) == hash_of(result)
        }

        fn has_result(self: @ContractState, job: u64) -> bool {
            self.results.read(job) != 0
        }
    }

    impl ResultHandler of Handler<ContractState> {
        fn kind() -> u256 {
            RESULT
        }

        fn length() -> u32 {
            4
        }

        fn carry_out(ref self: ContractState, nonce: u64, words: Span<u256>) {
            let result = ComputeResult {
                model: *words.at(1), input_commitment: *words.at(2), output_hash: *words.at(3)
            };
            self.note((*words.at(0)).try_into().expect('ValueOutOfRange'), result);
        }
    }

    #[generate_trait]
    impl Internal of InternalTrait {
        /// Records a result. A job has one: what comes again is the same.
        fn note(ref self: ContractState, job: u64, result: ComputeResult) {
            let known = self.results.read(job);
            let hash = hash_of(result);
            if known == 0 {
                self.results.write(job, hash);
                self.emit(Recorded { job, result });
            } else {
                assert(known == hash, 'ResultConflict');
            }
        }
    }

    fn hash_of(result: ComputeResult) -> felt252 {
        let mut felts = array![];
        result.serialize(ref felts);
        poseidon_hash_span(felts.span())
    }
}
