//! CIRO on Starknet: minted by proven messages alone, burnt to leave.

#[starknet::contract]
mod CiroToken {
    use ciro::interfaces::ICiroToken;
    use ciro::lane::{Handler, Lane};
    use ciro::timelock::Timelock;
    use starknet::{ContractAddress, get_block_timestamp, get_caller_address};

    component!(path: Timelock, storage: timelock, event: TimelockEvent);
    component!(path: Lane, storage: lane, event: LaneEvent);
    #[abi(embed_v0)]
    impl TimelockImpl = Timelock::TimelockImpl<ContractState>;
    impl TimelockInternal = Timelock::InternalImpl<ContractState>;
    #[abi(embed_v0)]
    impl LaneImpl = Lane::LaneImpl<ContractState>;
    impl LaneInternal = Lane::InternalImpl<ContractState>;

    /// Kinds of messages.
    const MINT: u256 = 1;
    const BURN: u256 = 101;
    const RETURN: u256 = 102;

    const DECIMALS: u8 = 18;
    /// Above every amount that a message may name.
    const AMOUNT_LIMIT: u256 = 0x100000000000000000000000000000000;
    /// Above every time.
    const TIME_LIMIT: u256 = 0x10000000000000000;
    /// An allowance that is never used up.
    const UNLIMITED: u256 = 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;

    #[storage]
    struct Storage {
        #[substorage(v0)]
        timelock: Timelock::Storage,
        #[substorage(v0)]
        lane: Lane::Storage,
        total_supply: u256,
        balances: LegacyMap<ContractAddress, u256>,
        allowances: LegacyMap<(ContractAddress, ContractAddress), u256>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    enum Event {
        #[flat]
        TimelockEvent: Timelock::Event,
        #[flat]
        LaneEvent: Lane::Event,
        Transfer: Transfer,
        Approval: Approval,
    }

    #[derive(Drop, starknet::Event)]
    struct Transfer {
        #[key]
        from: ContractAddress,
        #[key]
        to: ContractAddress,
        value: u256,
    }

    #[derive(Drop, starknet::Event)]
    struct Approval {
        #[key]
        owner: ContractAddress,
        #[key]
        spender: ContractAddress,
        value: u256,
    }

    #[constructor]
    fn constructor(
        ref self: ContractState, client: ContractAddress, governor: ContractAddress, delay: u64
    ) {
        self.timelock.initialize(governor, delay);
        self.lane.initialize(client);
    }

    #[abi(embed_v0)]
    impl CiroTokenImpl of ICiroToken<ContractState> {
        fn name(self: @ContractState) -> felt252 {
            'Ciro'
        }

        fn symbol(self: @ContractState) -> felt252 {
            'CIRO'
        }

        fn decimals(self: @ContractState) -> u8 {
            DECIMALS
        }

        fn total_supply(self: @ContractState) -> u256 {
            self.total_supply.read()
        }

        fn totalSupply(self: @ContractState) -> u256 {
            self.total_supply.read()
        }

        fn balance_of(self: @ContractState, account: ContractAddress) -> u256 {
            self.balances.read(account)
        }

        fn balanceOf(self: @ContractState, account: ContractAddress) -> u256 {
            self.balances.read(account)
        }

        fn allowance(
            self: @ContractState, owner: ContractAddress, spender: ContractAddress
        ) -> u256 {
            self.allowances.read((owner, spender))
        }

        fn transfer(ref self: ContractState, recipient: ContractAddress, amount: u256) -> bool {
            self.move_tokens(get_caller_address(), recipient, amount);
            true
        }

        fn transfer_from(
            ref self: ContractState, sender: ContractAddress, recipient: ContractAddress, amount: u256
        ) -> bool {
            let spender = get_caller_address();
            let allowance = self.allowances.read((sender, spender));
            if allowance != UNLIMITED {
                assert(amount <= allowance, 'InsufficientAllowance');
                self.allowances.write((sender, spender), allowance - amount);
            }
            self.move_tokens(sender, recipient, amount);
            true
        }

        fn transferFrom(
            ref self: ContractState, sender: ContractAddress, recipient: ContractAddress, amount: u256
        ) -> bool {
            self.transfer_from(sender, recipient, amount)
        }

        fn approve(ref self: ContractState, spender: ContractAddress, amount: u256) -> bool {
            let owner = get_caller_address();
            assert(spender.is_non_zero(), 'ZeroAddress');
            self.allowances.write((owner, spender), amount);
            self.emit(Approval { owner, spender, value: amount });
            true
        }

        fn bridge(
            ref self: ContractState, destination: u256, recipient: u256, amount: u256, refund: u256
        ) {
            assert(recipient != 0, 'BadRecipient');
            assert(destination == 0 || refund != 0, 'BadRefund');
            assert(0 < amount && amount < AMOUNT_LIMIT, 'BadAmount');
            self.burn(get_caller_address(), amount);
            self.lane.send(BURN, array![destination, recipient, amount, refund].span());
        }
    }

    impl MintHandler of Handler<ContractState> {
        fn kind() -> u256 {
            MINT
        }

        fn length() -> u32 {
            4
        }

        fn carry_out(ref self: ContractState, nonce: u64, words: Span<u256>) {
            let (recipient, amount, expiry, refund) = (
                *words.at(0), *words.at(1), *words.at(2), *words.at(3)
            );
            assert(amount < AMOUNT_LIMIT && expiry < TIME_LIMIT, 'ValueOutOfRange');
            if get_block_timestamp().into() > expiry {
                self.lane.send(RETURN, array![nonce.into(), amount, refund].span());
            } else {
                let felt: Option<felt252> = recipient.try_into();
                let account: Option<ContractAddress> = felt.expect('BadRecipient').try_into();
                self.mint(account.expect('BadRecipient'), amount);
            }
        }
    }

    #[generate_trait]
    impl Internal of InternalTrait {
        fn move_tokens(
            ref self: ContractState, from: ContractAddress, to: ContractAddress, amount: u256
        ) {
            assert(to.is_non_zero(), 'ZeroAddress');
            self.debit(from, amount);
            self.balances.write(to, self.balances.read(to) + amount);
            self.emit(Transfer { from, to, value: amount });
        }

        fn mint(ref self: ContractState, to: ContractAddress, amount: u256) {
            assert(to.is_non_zero(), 'BadRecipient');
            self.total_supply.write(self.total_supply.read() + amount);
            self.balances.write(to, self.balances.read(to) + amount);
            self.emit(Transfer { from: Zeroable::zero(), to, value: amount });
        }

        fn burn(ref self: ContractState, from: ContractAddress, amount: u256) {
            self.debit(from, amount);
            self.total_supply.write(self.total_supply.read() - amount);
            self.emit(Transfer { from, to: Zeroable::zero(), value: amount });
        }

        fn debit(ref self: ContractState, from: ContractAddress, amount: u256) {
            let balance = self.balances.read(from);
            assert(amount <= balance, 'InsufficientBalance');
            self.balances.write(from, balance - amount);
        }
    }
}
