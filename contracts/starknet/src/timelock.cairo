//! Changes of a contract by its governor, who must announce each and wait before carrying it out, so that whoever relies on
//! the contract sees it coming. The one change that every contract knows is that of its own code.

use starknet::{ClassHash, ContractAddress};

#[starknet::interface]
pub trait ITimelock<TState> {
    /// Announces an operation: the class hash of new code, or what else the contract gives a name. Governor only.
    fn schedule(ref self: TState, operation: felt252);
    /// Takes back what was announced. Governor only.
    fn cancel(ref self: TState, operation: felt252);
    /// Replaces the contract's code by that of an announced class. Governor only, after the delay.
    fn upgrade(ref self: TState, class_hash: ClassHash);
    /// When an announced operation can be carried out; zero if it is not announced.
    fn ready_at(self: @TState, operation: felt252) -> u64;
    /// Who governs.
    fn governor(self: @TState) -> ContractAddress;
    /// Seconds from announcement to execution.
    fn delay(self: @TState) -> u64;
}

#[starknet::component]
pub mod Timelock {
    use starknet::{ClassHash, ContractAddress, SyscallResultTrait, get_block_timestamp, get_caller_address};
    use starknet::syscalls::replace_class_syscall;

    #[storage]
    struct Storage {
        governor: ContractAddress,
        delay: u64,
        ready_at: LegacyMap<felt252, u64>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    pub enum Event {
        Scheduled: Scheduled,
        Cancelled: Cancelled,
        CarriedOut: CarriedOut,
    }

    #[derive(Drop, starknet::Event)]
    pub struct Scheduled {
        #[key]
        pub operation: felt252,
        pub ready_at: u64,
    }

    #[derive(Drop, starknet::Event)]
    pub struct Cancelled {
        #[key]
        pub operation: felt252,
    }

    #[derive(Drop, starknet::Event)]
    pub struct CarriedOut {
        #[key]
        pub operation: felt252,
    }

    #[embeddable_as(TimelockImpl)]
    pub impl External<
        TContractState, +HasComponent<TContractState>
    > of super::ITimelock<ComponentState<TContractState>> {
        fn schedule(ref self: ComponentState<TContractState>, operation: felt252) {
            self.check_governor();
            assert(self.ready_at.read(operation) == 0, 'AlreadyScheduled');
            let ready_at = get_block_timestamp() + self.delay.read();
            self.ready_at.write(operation, ready_at);
            self.emit(Scheduled { operation, ready_at });
        }

        fn cancel(ref self: ComponentState<TContractState>, operation: felt252) {
            self.check_governor();
            assert(self.ready_at.read(operation) != 0, 'NotScheduled');
            self.ready_at.write(operation, 0);
            self.emit(Cancelled { operation });
        }

        fn upgrade(ref self: ComponentState<TContractState>, class_hash: ClassHash) {
            self.carry_out(class_hash.into());
            replace_class_syscall(class_hash).unwrap_syscall();
        }

        fn ready_at(self: @ComponentState<TContractState>, operation: felt252) -> u64 {
            self.ready_at.read(operation)
        }

        fn governor(self: @ComponentState<TContractState>) -> ContractAddress {
            self.governor.read()
        }

        fn delay(self: @ComponentState<TContractState>) -> u64 {
            self.delay.read()
        }
    }

    #[generate_trait]
    pub impl InternalImpl<
        TContractState, +HasComponent<TContractState>
    > of InternalTrait<TContractState> {
        /// Sets, once and for all, who governs and how long announcements wait, in seconds.
        fn initialize(ref self: ComponentState<TContractState>, governor: ContractAddress, delay: u64) {
            assert(delay > 0, 'NoDelay');
            self.governor.write(governor);
            self.delay.write(delay);
        }

        /// Uses up an announced operation; the contract carries it out after this call.
        fn carry_out(ref self: ComponentState<TContractState>, operation: felt252) {
            self.check_governor();
            let ready_at = self.ready_at.read(operation);
            assert(ready_at != 0, 'NotScheduled');
            assert(get_block_timestamp() >= ready_at, 'TooEarly');
            self.ready_at.write(operation, 0);
            self.emit(CarriedOut { operation });
        }

        /// Takes back an announcement, if there is one.
        fn forget(ref self: ComponentState<TContractState>, operation: felt252) {
            self.ready_at.write(operation, 0);
        }

        fn check_governor(self: @ComponentState<TContractState>) {
            assert(get_caller_address() == self.governor.read(), 'NotGovernor');
        }
    }
}
