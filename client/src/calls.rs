//! The calls of Ciro's pallets. Arguments are encoded by name against the live metadata.

use crate::{
    types::{Balance, Capabilities, CaseId, JobSpec, PartsPerMillion},
    AccountId,
};
use ciro_primitives::JobId;
use codec::Encode;
pub use scale_encode::EncodeAsFields;
use scale_encode::{EncodeAsType, TypeResolver};
use subxt::transactions::{dynamic, DynamicPayload};

/// A call that a transaction can carry.
pub type Call<Arguments> = DynamicPayload<Arguments>;

/// Pallet of models.
pub const MODEL_REGISTRY: &str = "ModelRegistry";
/// Pallet of jobs.
pub const JOB_MARKET: &str = "JobMarket";
/// Pallet of stake.
pub const CDC_POOL: &str = "CdcPool";
/// Pallet of workers.
pub const WORKER_REGISTRY: &str = "WorkerRegistry";
/// Pallet of scores.
pub const REPUTATION: &str = "Reputation";
/// Pallet of cases against operators.
pub const SLASHING: &str = "Slashing";

/// Pallet of lanes and messages to other chains.
pub const OUTBOUND_QUEUE: &str = "OutboundQueue";
/// Pallet of who is believed about other chains.
pub const ATTESTERS: &str = "Attesters";
/// Pallet of tokens on other chains.
pub const TOKEN_GATEWAY: &str = "TokenGateway";

/// Pallet of BEEFY's validators.
pub const BEEFY: &str = "Beefy";

/// A value that is encoded already, of a type that the runtime and this build share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded(Vec<u8>);

impl Encoded {
    /// What is encoded already.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl<T: Encode> From<&T> for Encoded {
    fn from(value: &T) -> Self {
        Self(value.encode())
    }
}

impl EncodeAsType for Encoded {
    fn encode_as_type_to<R: TypeResolver>(
        &self,
        _: R::TypeId,
        _: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), scale_encode::Error> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

macro_rules! calls {
    (@name $call:ident) => { stringify!($call) };
    (@name $call:ident $name:literal) => { $name };
    ($($(#[$docs:meta])* $pallet:ident.$call:ident $(= $name:literal)? $arguments:ident { $($field:ident: $type:ty),* })*) => {
        $(
            #[doc = concat!("Arguments of [`", stringify!($call), "`].")]
            #[allow(missing_docs)]
            #[derive(Clone, Debug, EncodeAsType)]
            pub struct $arguments { $(pub $field: $type),* }

            $(#[$docs])*
            #[allow(clippy::too_many_arguments)]
            pub fn $call($($field: impl Into<$type>),*) -> Call<$arguments> {
                dynamic($pallet, calls!(@name $call $($name)?), $arguments { $($field: $field.into()),* })
            }
        )*
    };
}

calls! {
    /// Registers a model under its verifying key (`ciro_zkml_air::VerifyingKey`); a deposit is held.
    /// `price_floor` is per sample, `royalty` the owner's share of what jobs pay.
    MODEL_REGISTRY.register Register {
        key: Encoded, name: Vec<u8>, price_floor: Balance, royalty: PartsPerMillion
    }
    /// Changes the owner's share of what later jobs pay.
    MODEL_REGISTRY.set_royalty SetRoyalty { model: [u8; 32], royalty: PartsPerMillion }
    /// Changes the least price per sample.
    MODEL_REGISTRY.set_price_floor SetPriceFloor { model: [u8; 32], price_floor: Balance }
    /// Gives a model to another account.
    MODEL_REGISTRY.transfer_ownership TransferOwnership { model: [u8; 32], new_owner: AccountId }
    /// Withdraws a model that has no open jobs; the deposit is released.
    MODEL_REGISTRY.deregister Deregister { model: [u8; 32] }
    /// Puts funds on hold as the caller's own stake, which makes it an operator.
    CDC_POOL.stake Stake { amount: Balance }
    /// Puts funds on hold as stake for another's operator.
    CDC_POOL.stake_for_worker StakeForWorker { worker: AccountId, amount: Balance }
    /// Says what the caller's stake stands for.
    CDC_POOL.set_roles SetRoles { worker: bool, validator: bool }
    /// Sets the share of its rewards that the caller keeps, in 10^-9.
    CDC_POOL.set_commission SetCommission { commission: u32 }
    /// Begins to unbond stake.
    CDC_POOL.unstake Unstake { operator: AccountId, amount: Balance }
    /// Releases what has been unbonded.
    CDC_POOL.withdraw_unbonded WithdrawUnbonded { operator: AccountId }
    /// Pays the rewards that the caller's stake has earned with an operator.
    CDC_POOL.claim_rewards ClaimRewards { operator: AccountId }
    /// Takes an unclaimed job back; price is released.
    JOB_MARKET.cancel_job CancelJob { job: JobId }
    /// Claims a job, or a seat of a redundant one; collateral is reserved of the own stake.
    JOB_MARKET.claim_job ClaimJob { job: JobId }
    /// Gives a claimed job back, for a small part of the collateral.
    JOB_MARKET.release_job ReleaseJob { job: JobId }
    /// Settles a job whose deadline has passed; anybody may.
    JOB_MARKET.expire_job ExpireJob { job: JobId }
    /// Removes a settled job and its result; the storage deposit is released.
    JOB_MARKET.remove_job RemoveJob { job: JobId }
    /// Takes a job over from a worker who is late.
    JOB_MARKET.rescue Rescue { job: JobId }
    /// Asks for a run.
    JOB_MARKET.submit_job SubmitJob { spec: JobSpec }
    /// Answers a claimed job with its proof. `input` is in two's complement bytes.
    JOB_MARKET.submit_result SubmitResult {
        job: JobId, payee: AccountId, input: Vec<u8>, output: Vec<i32>, proof: Vec<u8>
    }
    /// Answers several claimed jobs of one model by one proof of all their samples, in this order. `input` is in two's
    /// complement bytes.
    JOB_MARKET.submit_results SubmitResults {
        jobs: Vec<JobId>, payee: AccountId, input: Vec<u8>, output: Vec<i32>, proof: Vec<u8>
    }
    /// Answers a claimed job that asks for no proof.
    JOB_MARKET.submit_answer SubmitAnswer { job: JobId, payee: AccountId, output: Vec<i32> }
    /// Says that an answer is wrong; a fee is held.
    JOB_MARKET.dispute Dispute { job: JobId }
    /// Decides a dispute by a proof that is bound to `prover`. `input` is in two's complement bytes.
    JOB_MARKET.submit_proof SubmitProof {
        job: JobId, prover: AccountId, input: Vec<u8>, output: Vec<i32>, proof: Vec<u8>
    }
    /// Commits to an output of a redundant job: [`ciro_primitives::answer_commitment`].
    JOB_MARKET.commit Commit { job: JobId, commitment: [u8; 32] }
    /// Reveals the output that was committed to.
    JOB_MARKET.reveal Reveal { job: JobId, output: Vec<i32>, salt: [u8; 32] }
    /// Settles a job whose time has come; anybody may.
    JOB_MARKET.finalise Finalise { job: JobId }
    /// Rates what was paid, with 1 to 5 stars.
    JOB_MARKET.rate Rate { job: JobId, stars: u8 }
    /// Registers the caller's machine; a deposit is held.
    WORKER_REGISTRY.register_worker = "register" RegisterWorker {
        capabilities: Capabilities, heartbeat_key: [u8; 32]
    }
    /// Changes what the caller says of its machine.
    WORKER_REGISTRY.update_worker = "update" UpdateWorker { capabilities: Capabilities }
    /// Has the caller's heartbeats signed with another key.
    WORKER_REGISTRY.set_heartbeat_key SetHeartbeatKey { heartbeat_key: [u8; 32] }
    /// Announces the caller's absence.
    WORKER_REGISTRY.deactivate Deactivate {}
    /// Ends the caller's absence.
    WORKER_REGISTRY.reactivate Reactivate {}
    /// Removes the caller from the registry; the deposit is released.
    WORKER_REGISTRY.deregister_worker = "deregister" DeregisterWorker {}
    /// Says that a worker is there: for [`crate::Client::submit_authorised`]. `signature` is the heartbeat key's, of
    /// [`ciro_primitives::heartbeat_payload`].
    WORKER_REGISTRY.heartbeat Heartbeat { who: AccountId, window: u32, signature: [u8; 64] }
    /// Reports an operator that has been silent for six hours.
    SLASHING.report_downtime ReportDowntime { operator: AccountId }
    /// Executes a case that is due.
    SLASHING.execute_case ExecuteCase { case: CaseId }
    /// Opens the lane to a contract (`ciro_bridge_primitives::Destination`); a deposit is held.
    OUTBOUND_QUEUE.open_lane OpenLane { destination: Encoded }
    /// Sends the result of a job that was paid for a proof to a registry, for a fee.
    OUTBOUND_QUEUE.send_result SendResult { lane: [u8; 32], job: JobId }
    /// Sends an executed case to a pool, which takes the same share of the operator's stake, for a fee.
    OUTBOUND_QUEUE.send_slash SendSlash { lane: [u8; 32], case: CaseId }
    /// Answers a job of a JobManager with a proof that is bound to it (`ciro_bridge_primitives::RemoteJobBinding`), for a
    /// fee. `input` is in two's complement bytes.
    OUTBOUND_QUEUE.prove_remote ProveRemote {
        lane: [u8; 32], remote_job: [u8; 32], model: [u8; 32], payee: [u8; 32], batch: u32, input: Vec<u8>,
        output: Vec<i32>, proof: Vec<u8>
    }
    /// Burns funds here and has them minted where a lane leads to, within `lifetime` seconds, for a fee.
    TOKEN_GATEWAY.transfer_out TransferOut {
        lane: [u8; 32], recipient: [u8; 32], amount: Balance, lifetime: u64
    }
    /// Pays out what has arrived by a message; anybody may.
    TOKEN_GATEWAY.release Release { lane: [u8; 32], nonce: u64 }
    /// Reports a validator who has signed another root than the chain's: see [`crate::Client::report_vote`].
    BEEFY.report_fork_voting ReportForkVoting { equivocation_proof: Encoded, key_owner_proof: Encoded }
    /// Reports a validator who has signed a block that is yet to come.
    BEEFY.report_future_block_voting ReportFutureBlockVoting {
        equivocation_proof: Encoded, key_owner_proof: Encoded
    }
    /// Says as an attester that a message (its `ciro_bridge_primitives::Payload`) was sent on another chain.
    ATTESTERS.attest Attest { lane: [u8; 32], nonce: u64, payload: Encoded }
}

/// The bytes of quantised values, as calls, commitments and blobs carry them.
pub fn bytes(values: &[i8]) -> Vec<u8> {
    values.iter().map(|value| *value as u8).collect()
}

/// Quantised values out of their bytes.
pub fn values(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|byte| *byte as i8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_carry_their_names() {
        let call = claim_job(7u64);
        assert_eq!(
            (call.pallet_name(), call.call_name()),
            ("JobMarket", "claim_job")
        );
        assert_eq!(call.call_data().job, 7);
        let call = deregister_worker();
        assert_eq!(
            (call.pallet_name(), call.call_name()),
            ("WorkerRegistry", "deregister")
        );
    }

    #[test]
    fn bytes_are_twos_complement() {
        let all: Vec<i8> = (i8::MIN..=i8::MAX).collect();
        assert_eq!(values(&bytes(&all)), all);
        assert_eq!(bytes(&[-1, 0, 127, -128]), [255, 0, 127, 128]);
    }
}
