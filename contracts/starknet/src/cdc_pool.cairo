//! Stake behind workers. Anyone may stake for a worker; what its operator is slashed for on Ciro takes the same share of it.

#[starknet::contract]
mod CDCPool {
    use ciro::interfaces::{ICDCPool, ICiroTokenDispatcher, ICiroTokenDispatcherTrait};
    use ciro::lane::{Handler, Lane};
    use ciro::packing::{SlashCasePacking, UnbondingPacking};
    use ciro::timelock::Timelock;
    use ciro::types::{SlashCase, SlashRecord, Unbonding};
    use starknet::{ContractAddress, get_block_timestamp, get_caller_address, get_contract_address};

    component!(path: Timelock, storage: timelock, event: TimelockEvent);
    component!(path: Lane, storage: lane, event: LaneEvent);
    #[abi(embed_v0)]
    impl TimelockImpl = Timelock::TimelockImpl<ContractState>;
    impl TimelockInternal = Timelock::InternalImpl<ContractState>;
    #[abi(embed_v0)]
    impl LaneImpl = Lane::LaneImpl<ContractState>;
    impl LaneInternal = Lane::InternalImpl<ContractState>;

    /// The kind of message.
    const SLASH: u256 = 4;
    /// The whole that a slash takes a share of.
    const MILLION: u256 = 1000000;
    /// From a request to a withdrawal, in seconds.
    const UNBONDING_TIME: u64 = 604800;
    /// A worker's reputation before any slash.
    const INITIAL_REPUTATION: u64 = 500;
    /// Bound of a worker's shares. Beyond it, after slashes that left next to nothing, nobody can stake for it any more.
    const SHARES_LIMIT: u256 = 0x100000000000000000000000000000000;
    const NO_LIMIT: u32 = 0xffffffff;

    #[storage]
    struct Storage {
        #[substorage(v0)]
        timelock: Timelock::Storage,
        #[substorage(v0)]
        lane: Lane::Storage,
        token: ContractAddress,
        treasury: u256,
        total_stake: u256,
        slashed: u256,
        worker_stakes: LegacyMap<ContractAddress, u256>,
        slash_history: LegacyMap<ContractAddress, SlashRecord>,
        reputation_scores: LegacyMap<ContractAddress, u64>,
        operators: LegacyMap<ContractAddress, u256>,
        worker_shares: LegacyMap<ContractAddress, u256>,
        worker_unbonding_shares: LegacyMap<ContractAddress, u256>,
        /// By worker and staker: the shares that are not on their way out, and those that are.
        staker_shares: LegacyMap<(ContractAddress, ContractAddress), u256>,
        unbonding: LegacyMap<(ContractAddress, ContractAddress), Unbonding>,
        /// By operator, and by operator and index: its cases in the order of their arrival.
        case_count: LegacyMap<u256, u32>,
        cases: LegacyMap<(u256, u32), SlashCase>,
        known_cases: LegacyMap<(u256, u64), bool>,
        /// How many of its operator's cases a worker has behind it.
        settled_cases: LegacyMap<ContractAddress, u32>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    enum Event {
        #[flat]
        TimelockEvent: Timelock::Event,
        #[flat]
        LaneEvent: Lane::Event,
        WorkerRegistered: WorkerRegistered,
        WorkerStaked: WorkerStaked,
        UnbondingStarted: UnbondingStarted,
        Withdrawn: Withdrawn,
        OperatorSlashed: OperatorSlashed,
        WorkerSlashed: WorkerSlashed,
    }

    #[derive(Drop, starknet::Event)]
    struct WorkerRegistered {
        #[key]
        worker_address: ContractAddress,
        operator: u256,
    }

    /// `total_stake` is the worker's after it.
    #[derive(Drop, starknet::Event)]
    struct WorkerStaked {
        #[key]
        worker_address: ContractAddress,
        amount: u256,
        total_stake: u256,
    }

    #[derive(Drop, starknet::Event)]
    struct UnbondingStarted {
        #[key]
        worker_address: ContractAddress,
        #[key]
        staker: ContractAddress,
        shares: u256,
        ready: u64,
    }

    #[derive(Drop, starknet::Event)]
    struct Withdrawn {
        #[key]
        worker_address: ContractAddress,
        #[key]
        staker: ContractAddress,
        amount: u256,
    }

    /// A case came from Ciro. It takes `share` parts in a million from each worker of the operator.
    #[derive(Drop, starknet::Event)]
    struct OperatorSlashed {
        #[key]
        operator: u256,
        case: u64,
        share: u32,
    }

    /// A case was applied to a worker's stake.
    #[derive(Drop, starknet::Event)]
    struct WorkerSlashed {
        #[key]
        worker_address: ContractAddress,
        case: u64,
        amount: u256,
    }

    /// `treasury` is the account on Ciro that gets what was slashed.
    #[constructor]
    fn constructor(
        ref self: ContractState,
        client: ContractAddress,
        token: ContractAddress,
        treasury: u256,
        governor: ContractAddress,
        delay: u64
    ) {
        self.timelock.initialize(governor, delay);
        self.lane.initialize(client);
        self.token.write(token);
        self.treasury.write(treasury);
    }

    #[abi(embed_v0)]
    impl CDCPoolImpl of ICDCPool<ContractState> {
        fn register_worker(ref self: ContractState, operator: u256) {
            let worker_address = get_caller_address();
            assert(operator != 0, 'BadOperator');
            assert(self.operators.read(worker_address) == 0, 'AlreadyRegistered');
            self.operators.write(worker_address, operator);
            self.settled_cases.write(worker_address, self.case_count.read(operator));
            self.reputation_scores.write(worker_address, INITIAL_REPUTATION);
            self.emit(WorkerRegistered { worker_address, operator });
        }

        fn stake_for_worker(
            ref self: ContractState, worker_address: ContractAddress, amount: u256
        ) {
            assert(self.operators.read(worker_address) != 0, 'UnknownWorker');
            assert(amount > 0, 'BadAmount');
            self.apply_cases(worker_address, NO_LIMIT);
            let staker = get_caller_address();
            let stake = self.worker_stakes.read(worker_address);
            let all_shares = self.worker_shares.read(worker_address);
            let shares = if all_shares == 0 {
                amount
            } else {
                assert(stake > 0, 'WipedOut');
                amount * all_shares / stake
            };
            assert(shares > 0, 'BadAmount');
            assert(all_shares + shares < SHARES_LIMIT, 'WipedOut');
            self.worker_stakes.write(worker_address, stake + amount);
            self.worker_shares.write(worker_address, all_shares + shares);
            let key = (worker_address, staker);
            self.staker_shares.write(key, self.staker_shares.read(key) + shares);
            self.total_stake.write(self.total_stake.read() + amount);
            assert(
                self.token().transfer_from(staker, get_contract_address(), amount), 'TransferFailed'
            );
            self.emit(WorkerStaked { worker_address, amount, total_stake: stake + amount });
        }

        fn unstake(ref self: ContractState, worker_address: ContractAddress, shares: u256) {
            self.apply_cases(worker_address, NO_LIMIT);
            let staker = get_caller_address();
            let key = (worker_address, staker);
            let held = self.staker_shares.read(key);
            assert(0 < shares && shares <= held, 'BadAmount');
            self.staker_shares.write(key, held - shares);
            let ready = get_block_timestamp() + UNBONDING_TIME;
            let leaving = self.unbonding.read(key).shares + shares;
            self.unbonding.write(key, Unbonding { shares: leaving, ready });
            let all_leaving = self.worker_unbonding_shares.read(worker_address);
            self.worker_unbonding_shares.write(worker_address, all_leaving + shares);
            self.emit(UnbondingStarted { worker_address, staker, shares, ready });
        }

        fn withdraw(ref self: ContractState, worker_address: ContractAddress) {
            self.apply_cases(worker_address, NO_LIMIT);
            let staker = get_caller_address();
            let key = (worker_address, staker);
            let Unbonding { shares, ready } = self.unbonding.read(key);
            assert(shares > 0, 'NothingToWithdraw');
            assert(get_block_timestamp() >= ready, 'TooEarly');
            self.unbonding.write(key, Unbonding { shares: 0, ready: 0 });
            let stake = self.worker_stakes.read(worker_address);
            let all_shares = self.worker_shares.read(worker_address);
            let amount = stake * shares / all_shares;
            self.worker_stakes.write(worker_address, stake - amount);
            self.worker_shares.write(worker_address, all_shares - shares);
            let all_leaving = self.worker_unbonding_shares.read(worker_address);
            self.worker_unbonding_shares.write(worker_address, all_leaving - shares);
            self.total_stake.write(self.total_stake.read() - amount);
            assert(self.token().transfer(staker, amount), 'TransferFailed');
            self.emit(Withdrawn { worker_address, staker, amount });
        }

        fn settle(ref self: ContractState, worker_address: ContractAddress, limit: u32) {
            self.apply_cases(worker_address, limit);
        }

        fn remit(ref self: ContractState) {
            let amount = self.slashed.read();
            self.slashed.write(0);
            self.token().bridge(0, self.treasury.read(), amount, 0);
        }

        fn total_stake(self: @ContractState) -> u256 {
            self.total_stake.read()
        }

        fn worker_stake(self: @ContractState, worker: ContractAddress) -> u256 {
            self.worker_stakes.read(worker)
        }

        fn active_stake(self: @ContractState, worker: ContractAddress) -> u256 {
            let all_shares = self.worker_shares.read(worker);
            if all_shares == 0 || self.has_open_cases(worker) {
                return 0;
            }
            let staying = all_shares - self.worker_unbonding_shares.read(worker);
            self.worker_stakes.read(worker) * staying / all_shares
        }

        fn shares(
            self: @ContractState, worker: ContractAddress, staker: ContractAddress
        ) -> (u256, u256) {
            (self.staker_shares.read((worker, staker)), self.worker_shares.read(worker))
        }

        fn unbonding(
            self: @ContractState, worker: ContractAddress, staker: ContractAddress
        ) -> Unbonding {
            self.unbonding.read((worker, staker))
        }

        fn slash_record(self: @ContractState, worker: ContractAddress) -> SlashRecord {
            self.slash_history.read(worker)
        }

        fn reputation(self: @ContractState, worker: ContractAddress) -> u64 {
            self.reputation_scores.read(worker)
        }

        fn operator(self: @ContractState, worker: ContractAddress) -> u256 {
            self.operators.read(worker)
        }

        fn slashed(self: @ContractState) -> u256 {
            self.slashed.read()
        }
    }

    impl SlashHandler of Handler<ContractState> {
        fn kind() -> u256 {
            SLASH
        }

        fn length() -> u32 {
            3
        }

        /// Notes the case for the operator. Its workers' stakes feel it before anything else happens to them, so that a
        /// message costs the same however many workers an operator has, and whoever else names it as theirs.
        fn carry_out(ref self: ContractState, nonce: u64, words: Span<u256>) {
            let case: u64 = (*words.at(0)).try_into().expect('ValueOutOfRange');
            let operator = *words.at(1);
            let share: u32 = (*words.at(2)).try_into().expect('ValueOutOfRange');
            assert(share.into() <= MILLION, 'ValueOutOfRange');
            if self.known_cases.read((operator, case)) {
                return;
            }
            self.known_cases.write((operator, case), true);
            let count = self.case_count.read(operator);
            self.cases.write((operator, count), SlashCase { number: case, share });
            self.case_count.write(operator, count + 1);
            self.emit(OperatorSlashed { operator, case, share });
        }
    }

    #[generate_trait]
    impl Internal of InternalTrait {
        fn token(self: @ContractState) -> ICiroTokenDispatcher {
            ICiroTokenDispatcher { contract_address: self.token.read() }
        }

        fn has_open_cases(self: @ContractState, worker: ContractAddress) -> bool {
            self.settled_cases.read(worker) < self.case_count.read(self.operators.read(worker))
        }

        /// Applies a worker's next cases, `limit` at most.
        fn apply_cases(ref self: ContractState, worker: ContractAddress, limit: u32) {
            let operator = self.operators.read(worker);
            let count = self.case_count.read(operator);
            let mut settled = self.settled_cases.read(worker);
            let mut left = limit;
            while settled < count && left > 0 {
                self.apply_case(worker, self.cases.read((operator, settled)));
                settled += 1;
                left -= 1;
            };
            self.settled_cases.write(worker, settled);
        }

        fn apply_case(ref self: ContractState, worker: ContractAddress, case: SlashCase) {
            let share: u256 = case.share.into();
            let stake = self.worker_stakes.read(worker);
            let amount = stake * share / MILLION;
            self.worker_stakes.write(worker, stake - amount);
            self.total_stake.write(self.total_stake.read() - amount);
            self.slashed.write(self.slashed.read() + amount);
            let score: u256 = self.reputation_scores.read(worker).into();
            self
                .reputation_scores
                .write(worker, (score - score * share / MILLION).try_into().unwrap());
            let record = self.slash_history.read(worker);
            self
                .slash_history
                .write(
                    worker,
                    SlashRecord {
                        cases: record.cases + 1,
                        amount: record.amount + amount,
                        last: get_block_timestamp()
                    }
                );
            self.emit(WorkerSlashed { worker_address: worker, case: case.number, amount });
        }
    }
}
