//! Reading the chain at one block.

use crate::{
    calls::{CDC_POOL, JOB_MARKET, MODEL_REGISTRY, REPUTATION, SLASHING, WORKER_REGISTRY},
    events::Event,
    types::{
        variant_path, AccountInfo, Balance, Balances, BlockNumber, Case, CaseId, Hold, Job,
        JointResult, ModelInfo, NumberedJob, OneResult, Operator, PartsPerBillion, PartsPerMillion,
        Position, Standing, SubmittedResult, Worker,
    },
    AccountId, Error, Hash, Result,
};
use ciro_primitives::{JobId, ModelId};
use codec::{Decode, Encode};
use scale_decode::DecodeAsType;
use subxt::{
    dynamic::{constant, storage, view_function_call as view},
    ext::frame_decode::view_functions::{decode_view_function_response, IntoEncodableValues},
    OnlineClientAtBlock, SubstrateConfig,
};

/// Bytes of a view function's identity.
const VIEW_ID: usize = 32;

fn silent(pallet: &str, function: &str) -> Error {
    let text = format!("the runtime does not answer {pallet}.{function}");
    Error::chain(subxt::Error::other_str(text))
}

/// The state after one block.
pub struct State(OnlineClientAtBlock<SubstrateConfig>);

impl State {
    pub(crate) fn new(at: OnlineClientAtBlock<SubstrateConfig>) -> Self {
        Self(at)
    }

    /// The block by the names of its own runtime's metadata, for what has no method here: other pallets, and what earlier
    /// versions of the runtime stored and took.
    pub fn at(&self) -> &OnlineClientAtBlock<SubstrateConfig> {
        &self.0
    }

    /// Number of the block.
    pub fn number(&self) -> u64 {
        self.0.block_number()
    }

    /// Hash of the block.
    pub fn hash(&self) -> Hash {
        self.0.block_hash()
    }

    /// Hash of another block of the chain as the node sees it now, by number.
    pub async fn hash_of(&self, number: u64) -> Result<Option<Hash>> {
        use subxt::error::OnlineClientAtBlockError::BlockNotFound;
        match self.0.online_client().at_block(number).await {
            Ok(at) => Ok(Some(at.block_hash())),
            Err(BlockNotFound { .. }) => Ok(None),
            Err(error) => Err(Error::chain(error)),
        }
    }

    /// A job, if it exists and was not removed.
    pub async fn job(&self, job: JobId) -> Result<Option<Job>> {
        self.map(JOB_MARKET, "Jobs", job).await
    }

    /// Every job that was not removed, by number.
    pub async fn jobs(&self) -> Result<Vec<NumberedJob>> {
        self.entries(JOB_MARKET, "Jobs").await
    }

    /// The first block in which a worker may claim a job, by its merit now; nothing if there is no such job.
    pub async fn eligible_from(
        &self,
        job: JobId,
        worker: &AccountId,
    ) -> Result<Option<BlockNumber>> {
        self.view(JOB_MARKET, "eligible_from", (job, worker.0))
            .await
    }

    /// What a claim of a job that pays `price` reserves of the worker's own stake.
    pub fn collateral(&self, price: Balance) -> Result<Balance> {
        let least: Balance = self.constant(JOB_MARKET, "MinCollateral")?;
        let ratio: PartsPerMillion = self.constant(JOB_MARKET, "CollateralRatio")?;
        // Rounded up, as the chain does.
        let share = (price / 1_000_000 * Balance::from(ratio))
            + (price % 1_000_000 * Balance::from(ratio)).div_ceil(1_000_000);
        Ok(share.max(least))
    }

    /// The output of a paid job: final accumulators, row-major.
    pub async fn result(&self, job: JobId) -> Result<Option<Vec<i32>>> {
        self.map(JOB_MARKET, "Results", job).await
    }

    /// A registered model.
    pub async fn model(&self, model: ModelId) -> Result<Option<ModelInfo>> {
        self.map(MODEL_REGISTRY, "Models", model.0).await
    }

    /// Every registered model, by id.
    pub async fn models(&self) -> Result<Vec<(ModelId, ModelInfo)>> {
        let models: Vec<([u8; 32], ModelInfo)> = self.entries(MODEL_REGISTRY, "Models").await?;
        Ok(models
            .into_iter()
            .map(|(id, info)| (ModelId(id), info))
            .collect())
    }

    /// An operator, if the account is one.
    pub async fn operator(&self, operator: &AccountId) -> Result<Option<Operator>> {
        self.map(CDC_POOL, "Operators", operator.0).await
    }

    /// What an account has staked for an operator, if anything.
    pub async fn position(
        &self,
        operator: &AccountId,
        staker: &AccountId,
    ) -> Result<Option<Position>> {
        self.view(CDC_POOL, "position", (operator.0, staker.0))
            .await
    }

    /// What an account could claim of an operator's rewards.
    pub async fn pending_rewards(
        &self,
        operator: &AccountId,
        staker: &AccountId,
    ) -> Result<Balance> {
        self.view(CDC_POOL, "pending_rewards", (operator.0, staker.0))
            .await
    }

    /// The least stake of its own that makes an account an operator.
    pub fn min_operator_stake(&self) -> Result<Balance> {
        self.constant(CDC_POOL, "MinOperatorStake")
    }

    /// A worker, if the account is registered as one.
    pub async fn worker(&self, who: &AccountId) -> Result<Option<Worker>> {
        self.map(WORKER_REGISTRY, "Workers", who.0).await
    }

    /// Every registered worker.
    pub async fn workers(&self) -> Result<Vec<(AccountId, Worker)>> {
        let workers: Vec<([u8; 32], Worker)> = self.entries(WORKER_REGISTRY, "Workers").await?;
        Ok(workers
            .into_iter()
            .map(|(who, worker)| (AccountId(who), worker))
            .collect())
    }

    /// The share of a worker's due heartbeats of the last 30 days that came.
    pub async fn uptime(&self, who: &AccountId) -> Result<PartsPerBillion> {
        self.view(WORKER_REGISTRY, "uptime", (who.0,)).await
    }

    /// Blocks of a window, in each of which a heartbeat is due.
    pub fn heartbeat_period(&self) -> Result<u32> {
        self.constant(WORKER_REGISTRY, "HeartbeatPeriod")
    }

    /// An account's score: 0 to 1,000.
    pub async fn score(&self, who: &AccountId) -> Result<u16> {
        self.view(REPUTATION, "score", (who.0,)).await
    }

    /// Whether an operator may work.
    pub async fn standing(&self, who: &AccountId) -> Result<Standing> {
        self.view(SLASHING, "standing", (who.0,)).await
    }

    /// A case against an operator, if it is stored.
    pub async fn case(&self, case: CaseId) -> Result<Option<Case>> {
        self.map(SLASHING, "Cases", case).await
    }

    /// Every case that is stored, by number.
    pub async fn cases(&self) -> Result<Vec<Case>> {
        let cases: Vec<(CaseId, Case)> = self.entries(SLASHING, "Cases").await?;
        Ok(cases.into_iter().map(|(_, case)| case).collect())
    }

    /// Blocks for which stake that is taken back stays on hold.
    pub fn unbonding_period(&self) -> Result<u32> {
        self.constant(CDC_POOL, "UnbondingPeriod")
    }

    /// Transactions of an account that the chain has seen up to this block.
    pub async fn nonce(&self, account: &AccountId) -> Result<u64> {
        self.0
            .transactions()
            .account_nonce(account)
            .await
            .map_err(Error::chain)
    }

    /// What an account has; zeros if it does not exist.
    pub async fn balances(&self, account: &AccountId) -> Result<Balances> {
        let info: Option<AccountInfo> = self.map("System", "Account", account.0).await?;
        let holds: Option<Vec<Hold>> = self.map("Balances", "Holds", account.0).await?;
        let Some(AccountInfo { data }) = info else {
            return Ok(Balances::default());
        };
        Ok(Balances {
            free: data.free,
            reserved: data.reserved,
            frozen: data.frozen,
            holds: holds
                .unwrap_or_default()
                .iter()
                .map(|hold| (variant_path(&hold.id), hold.amount))
                .collect(),
        })
    }

    /// What Ciro's pallets reported in this block.
    pub async fn events(&self) -> Result<Vec<Event>> {
        let events = self.0.events().fetch().await.map_err(Error::chain)?;
        let mut read = Vec::new();
        for event in events.iter() {
            read.extend(Event::read(&event.map_err(Error::chain)?)?);
        }
        Ok(read)
    }

    /// The results with a proof that were submitted in this block, for one job or for several, accepted or not, in order.
    /// One inside another call, a batch for instance, is not found.
    pub async fn submitted_results(&self) -> Result<Vec<SubmittedResult>> {
        let extrinsics = self.0.extrinsics().fetch().await.map_err(Error::chain)?;
        let mut results = Vec::new();
        for extrinsic in extrinsics.iter() {
            let extrinsic = extrinsic.map_err(Error::chain)?;
            if extrinsic.pallet_name() != JOB_MARKET {
                continue;
            }
            let result = match extrinsic.call_name() {
                "submit_result" => extrinsic
                    .decode_call_data_fields_unchecked_as::<OneResult>()
                    .map(SubmittedResult::from),
                "submit_results" => extrinsic
                    .decode_call_data_fields_unchecked_as::<JointResult>()
                    .map(SubmittedResult::from),
                _ => continue,
            };
            results.push(result.map_err(Error::chain)?);
        }
        Ok(results)
    }

    /// Milliseconds that the chain takes for a block, as its runtime says.
    pub fn block_time(&self) -> Result<u64> {
        self.constant("Babe", "ExpectedBlockTime")
    }

    fn constant<T: DecodeAsType>(&self, pallet: &str, name: &str) -> Result<T> {
        self.0
            .constants()
            .entry(constant::<T>(pallet, name))
            .map_err(Error::chain)
    }

    /// What a pallet's view function says.
    pub(crate) async fn view<A, T>(&self, pallet: &str, function: &str, arguments: A) -> Result<T>
    where
        A: IntoEncodableValues,
        T: DecodeAsType,
    {
        let functions = self.0.view_functions();
        let id_and_arguments = functions
            .encode_args(view::<A, T>(pallet, function, arguments))
            .map_err(Error::chain)?;
        let (id, arguments) = id_and_arguments
            .split_at_checked(VIEW_ID)
            .ok_or_else(|| silent(pallet, function))?;
        // The runtime's interface takes the arguments as a vector of bytes, and answers with one.
        let call = [id, &arguments.encode()].concat();
        let answer = functions
            .call_raw(Some(&call))
            .await
            .map_err(Error::chain)?;
        let answer = match answer.split_first() {
            Some((0, mut answer)) => Vec::<u8>::decode(&mut answer).ok(),
            _ => None,
        };
        let answer = answer.ok_or_else(|| silent(pallet, function))?;
        let metadata = self.0.metadata_ref();
        decode_view_function_response(
            pallet,
            function,
            &mut &answer[..],
            metadata,
            metadata.types(),
            T::into_visitor(),
        )
        .map_err(|error| {
            Error::chain(subxt::error::ViewFunctionError::CouldNotDecodeResponse(
                error,
            ))
        })
    }

    pub(crate) async fn map<K, V>(&self, pallet: &str, entry: &str, key: K) -> Result<Option<V>>
    where
        K: scale_encode::EncodeAsType + DecodeAsType,
        V: DecodeAsType,
    {
        self.0
            .storage()
            .try_fetch(storage::<(K,), V>(pallet, entry), (key,))
            .await
            .map_err(Error::chain)?
            .map(|value| value.decode().map_err(Error::chain))
            .transpose()
    }

    pub(crate) async fn entries<K, V>(&self, pallet: &str, entry: &str) -> Result<Vec<(K, V)>>
    where
        K: scale_encode::EncodeAsType + DecodeAsType + Ord,
        V: DecodeAsType,
    {
        let mut values = self
            .0
            .storage()
            .iter(storage::<(K,), V>(pallet, entry), ())
            .await
            .map_err(Error::chain)?;
        let mut read = Vec::new();
        while let Some(value) = values.next().await {
            let value = value.map_err(Error::chain)?;
            let (key,) = value
                .key()
                .and_then(|key| key.decode())
                .map_err(Error::chain)?;
            read.push((key, value.value().decode().map_err(Error::chain)?));
        }
        read.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(read)
    }
}
