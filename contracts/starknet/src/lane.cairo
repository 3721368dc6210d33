//! A contract's end of its lane to and from Ciro: takes messages that Ciro's finality proves, each once, and sends messages
//! by events.

use ciro::types::{Message, ProvenLeaf};

#[starknet::interface]
pub trait ILane<TState> {
    /// Carries out messages to this contract, which all stand in `proven`, a leaf that the commitment to `block` proves.
    fn deliver(ref self: TState, block: u32, proven: ProvenLeaf, messages: Span<Message>);
    /// This contract's lane.
    fn lane(self: @TState) -> u256;
    /// Whether the message with this nonce was taken.
    fn is_taken(self: @TState, nonce: u64) -> bool;
    /// How many messages were sent.
    fn sent(self: @TState) -> u64;
    /// The light client.
    fn client(self: @TState) -> starknet::ContractAddress;
}

/// What a contract does with its messages, all of one kind.
pub trait Handler<TContractState> {
    /// The kind of message that it takes.
    fn kind() -> u256;
    /// How many words follow the kind.
    fn length() -> u32;
    /// Carries one out. It may panic, and is then not taken.
    fn carry_out(ref self: TContractState, nonce: u64, words: Span<u256>);
}

#[starknet::component]
pub mod Lane {
    use ciro::hashing::{BytesTrait, reverse, words};
    use ciro::interfaces::{IBeefyClientDispatcher, IBeefyClientDispatcherTrait};
    use ciro::merkle::check_path;
    use ciro::types::{Message, ProvenLeaf};
    use starknet::{ContractAddress, get_contract_address, get_tx_info};
    use super::Handler;

    /// The first eight bytes of "ciro/lane/1" and the three after them, as little-endian numbers.
    const TAG_START: u64 = 0x6e616c2f6f726963;
    const TAG_END: u64 = 0x312f65;
    /// Words of every message before those that its kind brings: lane, nonce and kind. Fewer could be a node of the tree.
    const HEAD: u32 = 3;
    const NONCES_IN_SLOT: u64 = 128;
    /// The kind of chain that Starknet is.
    const STARKNET: u64 = 1;

    #[storage]
    struct Storage {
        client: ContractAddress,
        genesis_hash: u256,
        /// By nonce / 128: a bit for each nonce that was taken.
        taken: LegacyMap<u64, u128>,
        sent: u64,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    pub enum Event {
        Taken: Taken,
        Sent: Sent,
    }

    /// A message from Ciro was carried out.
    #[derive(Drop, starknet::Event)]
    pub struct Taken {
        #[key]
        pub nonce: u64,
    }

    /// A message to Ciro.
    #[derive(Drop, starknet::Event)]
    pub struct Sent {
        #[key]
        pub nonce: u64,
        pub words: Array<u256>,
    }

    #[embeddable_as(LaneImpl)]
    pub impl External<
        TContractState, +HasComponent<TContractState>, +Handler<TContractState>, +Drop<TContractState>
    > of super::ILane<ComponentState<TContractState>> {
        fn deliver(
            ref self: ComponentState<TContractState>,
            block: u32,
            proven: ProvenLeaf,
            mut messages: Span<Message>
        ) {
            self.check_leaf(block, proven);
            let root = reverse(proven.leaf.messages_root);
            let lane = self.own_lane();
            while let Option::Some(message) = messages.pop_front() {
                self.take(root, lane, *message);
            };
        }

        fn lane(self: @ComponentState<TContractState>) -> u256 {
            self.own_lane()
        }

        fn is_taken(self: @ComponentState<TContractState>, nonce: u64) -> bool {
            let (_, is_taken) = self.mark(nonce);
            is_taken
        }

        fn sent(self: @ComponentState<TContractState>) -> u64 {
            self.sent.read()
        }

        fn client(self: @ComponentState<TContractState>) -> ContractAddress {
            self.client.read()
        }
    }

    #[generate_trait]
    impl Taking<
        TContractState, +HasComponent<TContractState>, +Handler<TContractState>, +Drop<TContractState>
    > of TakingTrait<TContractState> {
        /// Takes one message of the tree with this root, a little-endian number.
        fn take(ref self: ComponentState<TContractState>, root: u256, lane: u256, message: Message) {
            let Message { words: content, index, count, path } = message;
            assert(content.len() >= HEAD, 'WrongWordCount');
            check_path(root, words(content), index, count, path);
            assert(*content.at(0) == lane, 'WrongLane');
            assert(*content.at(2) == Handler::<TContractState>::kind(), 'UnknownKind');
            let length = Handler::<TContractState>::length();
            assert(content.len() == HEAD + length, 'WrongWordCount');
            let nonce: u64 = (*content.at(1)).try_into().expect('ValueOutOfRange');
            let (marked, is_taken) = self.mark(nonce);
            assert(!is_taken, 'NonceTaken');
            self.taken.write(nonce / NONCES_IN_SLOT, marked);
            let mut contract = self.get_contract_mut();
            contract.carry_out(nonce, content.slice(HEAD, length));
            self.emit(Taken { nonce });
        }
    }

    #[generate_trait]
    pub impl InternalImpl<
        TContractState, +HasComponent<TContractState>, +Drop<TContractState>
    > of InternalTrait<TContractState> {
        /// Sets, once and for all, the client that proves messages.
        fn initialize(ref self: ComponentState<TContractState>, client: ContractAddress) {
            self.client.write(client);
            self.genesis_hash.write(IBeefyClientDispatcher { contract_address: client }.genesis_hash());
        }

        /// Panics unless the client proves the leaf.
        fn check_leaf(self: @ComponentState<TContractState>, block: u32, proven: ProvenLeaf) {
            IBeefyClientDispatcher { contract_address: self.client.read() }.check_leaf(block, proven);
        }

        /// Sends a message of this kind with these words after it.
        fn send(ref self: ComponentState<TContractState>, kind: u256, mut content: Span<u256>) {
            let nonce = self.sent.read();
            self.sent.write(nonce + 1);
            let mut words = array![self.own_lane(), nonce.into(), kind];
            while let Option::Some(word) = content.pop_front() {
                words.append(*word);
            };
            self.emit(Sent { nonce, words });
        }

        /// The slot of a nonce with its bit set, and whether it was set before.
        fn mark(self: @ComponentState<TContractState>, nonce: u64) -> (u128, bool) {
            let slot = self.taken.read(nonce / NONCES_IN_SLOT);
            let bit = power_of_two(nonce % NONCES_IN_SLOT);
            (slot | bit, slot & bit != 0)
        }

        fn own_lane(self: @ComponentState<TContractState>) -> u256 {
            let mut bytes = BytesTrait::new();
            let contract: felt252 = get_contract_address().into();
            bytes.append_le(TAG_START, 8);
            bytes.append_le(TAG_END, 3);
            bytes.append_word(self.genesis_hash.read());
            bytes.append_le(STARKNET, 1);
            bytes.append_word(get_tx_info().unbox().chain_id.into());
            bytes.append_word(contract.into());
            reverse(bytes.keccak())
        }
    }

    /// 2^exponent, for an exponent below 128.
    fn power_of_two(exponent: u64) -> u128 {
        let mut power = 1;
        let mut square = 2;
        let mut rest = exponent;
        while rest > 0 {
            if rest % 2 == 1 {
                power *= square;
            }
            rest /= 2;
            if rest > 0 {
                square *= square;
            }
        };
        power
    }
}
