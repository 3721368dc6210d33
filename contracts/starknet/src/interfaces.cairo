//! What the contracts offer to their callers and to each other. Messages come in by `lane::ILane`, new code by
//! `timelock::ITimelock`.

use ciro::signatures::Signature;
use ciro::types::{
    Commitment, ComputeResult, ComputeSpec, Job, ProvenLeaf, ProvenResult, SlashRecord, Unbonding,
    ValidatorSet, WorkerInfo
};
use starknet::{ContractAddress, EthAddress};

#[starknet::interface]
pub trait IBeefyClient<TState> {
    /// Accepts a commitment. `validators` are all addresses of the set that signed it, bit i of `signers` says whether
    /// validator i did, and their signatures come in this order. `handover` is there if the next set signed, and only then.
    fn submit(
        ref self: TState,
        commitment: Commitment,
        validators: Span<EthAddress>,
        signers: u64,
        signatures: Span<Signature>,
        handover: Option<ProvenLeaf>
    );
    /// Panics unless the commitment to `block` proves the leaf.
    fn check_leaf(self: @TState, block: u32, proven: ProvenLeaf);
    /// Stops the client: it then accepts and proves nothing. Guardian only.
    fn halt(ref self: TState);
    /// Ends a halt. Governor only, announced as operation 'resume'.
    fn resume(ref self: TState);
    /// Hash of Ciro's genesis block.
    fn genesis_hash(self: @TState) -> u256;
    /// The set in office and the next one.
    fn validator_sets(self: @TState) -> (ValidatorSet, ValidatorSet);
    /// When the set in office took over, as far as the client knows.
    fn handover_time(self: @TState) -> u64;
    /// For how many seconds after that time commitments are accepted.
    fn expiry(self: @TState) -> u64;
    /// The newest block that a commitment was accepted for.
    fn newest_block(self: @TState) -> u32;
    /// The root that `block` committed to; zero if that is not known.
    fn root(self: @TState, block: u32) -> u256;
    fn is_halted(self: @TState) -> bool;
}

/// SNIP-2 and ERC-20: each call under both names that the standard has for it.
#[starknet::interface]
pub trait ICiroToken<TState> {
    fn name(self: @TState) -> felt252;
    fn symbol(self: @TState) -> felt252;
    fn decimals(self: @TState) -> u8;
    fn total_supply(self: @TState) -> u256;
    fn totalSupply(self: @TState) -> u256;
    fn balance_of(self: @TState, account: ContractAddress) -> u256;
    fn balanceOf(self: @TState, account: ContractAddress) -> u256;
    fn allowance(self: @TState, owner: ContractAddress, spender: ContractAddress) -> u256;
    fn transfer(ref self: TState, recipient: ContractAddress, amount: u256) -> bool;
    fn transfer_from(
        ref self: TState, sender: ContractAddress, recipient: ContractAddress, amount: u256
    ) -> bool;
    fn transferFrom(
        ref self: TState, sender: ContractAddress, recipient: ContractAddress, amount: u256
    ) -> bool;
    fn approve(ref self: TState, spender: ContractAddress, amount: u256) -> bool;
    /// Burns the caller's tokens for `recipient` on the chain that the lane `destination` leads to, or on Ciro if that is
    /// zero. If they cannot go on from Ciro, the account `refund` gets them there.
    fn bridge(ref self: TState, destination: u256, recipient: u256, amount: u256, refund: u256);
}

#[starknet::interface]
pub trait IResultRegistry<TState> {
    /// Records results that stand in `proven`, a leaf that the commitment to `block` proves.
    fn record(ref self: TState, block: u32, proven: ProvenLeaf, results: Span<ProvenResult>);
    /// Whether this is the job's result, as Ciro's chain verified it.
    fn is_proven(self: @TState, job: u64, result: ComputeResult) -> bool;
    /// Whether a result of the job was recorded.
    fn has_result(self: @TState, job: u64) -> bool;
}

#[starknet::interface]
pub trait IJobManager<TState> {
    /// Asks for a run of a model on a committed input, pulls the payment into escrow and returns the job's number.
    fn submit_job(
        ref self: TState, model_hash: u256, input_commitment: u256, compute_requirements: ComputeSpec
    ) -> felt252;
    /// Submits several jobs with one transfer of their payments, and returns their numbers.
    fn batch_submit_jobs(ref self: TState, jobs: Span<(u256, u256, ComputeSpec)>) -> Span<felt252>;
    /// Reserves a job for the caller for a while, after others' claims have run out. Its active stake in the pool must cover
    /// the payments of all its claims.
    fn claim_job(ref self: TState, job_id: felt252);
    /// Gives the requester of a job without a result its payment back, some time after the deadline.
    fn refund(ref self: TState, job_id: felt252);
    fn job(self: @TState, job_id: felt252) -> Job;
    /// What is in escrow for a job.
    fn payment(self: @TState, job_id: felt252) -> u256;
    fn job_count(self: @TState) -> felt252;
    fn worker(self: @TState, worker: ContractAddress) -> WorkerInfo;
    /// What is in escrow for all jobs.
    fn total_escrow(self: @TState) -> u256;
}

#[starknet::interface]
pub trait ICDCPool<TState> {
    /// Makes the caller a worker, for which the account `operator` on Ciro answers: its slashes hit the worker's stake.
    fn register_worker(ref self: TState, operator: u256);
    /// Adds the caller's tokens to a worker's stake.
    fn stake_for_worker(ref self: TState, worker_address: ContractAddress, amount: u256);
    /// Begins to take the caller's shares in a worker's stake out. They can be slashed until they are withdrawn; a further
    /// request before that makes all of them wait anew.
    fn unstake(ref self: TState, worker_address: ContractAddress, shares: u256);
    /// Pays out what has waited long enough.
    fn withdraw(ref self: TState, worker_address: ContractAddress);
    /// Applies up to `limit` slashes of a worker's operator that its stake has not felt yet. Every other call applies all.
    fn settle(ref self: TState, worker_address: ContractAddress, limit: u32);
    /// Sends what was slashed home, to Ciro's treasury.
    fn remit(ref self: TState);
    fn total_stake(self: @TState) -> u256;
    /// A worker's stake, with what is on its way out.
    fn worker_stake(self: @TState, worker: ContractAddress) -> u256;
    /// What of it is not on its way out: zero as long as a slash waits to be applied.
    fn active_stake(self: @TState, worker: ContractAddress) -> u256;
    /// The caller's shares in a worker's stake, and all shares in it.
    fn shares(self: @TState, worker: ContractAddress, staker: ContractAddress) -> (u256, u256);
    fn unbonding(self: @TState, worker: ContractAddress, staker: ContractAddress) -> Unbonding;
    fn slash_record(self: @TState, worker: ContractAddress) -> SlashRecord;
    /// From 0 to 1000.
    fn reputation(self: @TState, worker: ContractAddress) -> u64;
    fn operator(self: @TState, worker: ContractAddress) -> u256;
    /// What was slashed and not sent home yet.
    fn slashed(self: @TState) -> u256;
}
