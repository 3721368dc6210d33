//! Follows the chain and acts on it.
//!
//! Only finalised blocks count for decisions; the best block is looked at last, before something is sent, so that
//! nothing is sent about what is already under way.

use crate::{
    blob::FetchError,
    decision::{decide, Action, Over, Situation, Standing},
    executor::{Executor, Failure, Served},
    journal::{Journal, Pending, Purpose},
    metrics::Metrics,
};
use anyhow::{Context, Result};
use ciro_client::{
    calls,
    types::{Balance, Job},
    AccountId, Client, Error, Keypair, State, Wait,
};
use ciro_primitives::{input_commitment, JobBinding, JobId};
use ciro_zkml_verifier::{Receipt, Tensor};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{interval, timeout, MissedTickBehavior},
};
use tracing::{debug, error, info, warn};

/// How often the models folder is looked at and the node is asked whether it is there.
const ROUND: Duration = Duration::from_secs(10);

/// A node that does not answer for so long is gone.
const SILENCE: Duration = Duration::from_secs(10);

/// Blocks after which a pending transaction is sent again: a node forgets its pool when it restarts.
const RESEND: u64 = 16;

/// Blocks for which a job is left alone after a claim of it failed.
const CLAIM_PAUSE: u64 = 30;

/// Inputs that are fetched or at hand at a time, so that a crowd of jobs fills neither memory nor network.
const MAX_INPUTS: usize = 64;

/// Results of a job that may fail before it is given back.
const MAX_FAILURES: u32 = 3;

/// What a worker is told when it starts.
pub struct Settings {
    /// Who signs.
    pub signer: Keypair,
    /// Who is paid.
    pub payee: AccountId,
    /// Jobs that it may have at once.
    pub max_jobs: usize,
    /// Least price per sample that it works for.
    pub min_price: Balance,
    /// Blocks that a job must leave besides the proof: for claim and result to be finalised.
    pub margin: u64,
}

/// A worker on one chain, over any number of connections.
pub struct Scheduler {
    settings: Settings,
    me: AccountId,
    genesis: [u8; 32],
    journal: Journal,
    executor: Arc<Executor>,
    metrics: Metrics,
    /// Every job of the chain that is not settled, as of the last finalised block.
    jobs: BTreeMap<JobId, Job>,
    working: HashSet<JobId>,
    /// Inputs at hand of jobs that this worker has or wants.
    inputs: HashMap<JobId, Vec<i8>>,
    /// Results that failed in a block, by job.
    failures: HashMap<JobId, u32>,
    /// Jobs that are not to be claimed before a block.
    paused: HashMap<JobId, u64>,
    finished: (
        mpsc::UnboundedSender<Finished>,
        mpsc::UnboundedReceiver<Finished>,
    ),
}

/// What became of the work on a job.
enum Outcome {
    /// Its input was looked for, to claim it.
    Fetched(Result<Vec<i8>, FetchError>),
    /// It was run and proved, in that time.
    Proved(Result<(Receipt, Duration), Failure>),
}

/// A job that was worked on.
type Finished = (JobId, Outcome);

impl Scheduler {
    /// A worker that has done nothing yet; it goes on where its journal says it stopped.
    pub fn new(
        settings: Settings,
        genesis: [u8; 32],
        journal: Journal,
        executor: Arc<Executor>,
        metrics: Metrics,
    ) -> Self {
        Self {
            me: ciro_client::account(&settings.signer),
            settings,
            genesis,
            journal,
            executor,
            metrics,
            jobs: BTreeMap::new(),
            working: HashSet::new(),
            inputs: HashMap::new(),
            failures: HashMap::new(),
            paused: HashMap::new(),
            finished: mpsc::unbounded_channel(),
        }
    }

    /// Works over one connection until it is lost, which is an error, or `stop` says true.
    pub async fn run(&mut self, client: &Client, stop: &mut watch::Receiver<bool>) -> Result<()> {
        let mut blocks = client.finalised_blocks().await?;
        let mut state = client.finalised().await?;
        info!(block = state.number(), worker = %self.me, payee = %self.settings.payee, "following the chain");
        self.read_all(&state).await?;
        self.step(client, &state, true).await?;
        let mut round = interval(ROUND);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                block = blocks.next() => {
                    let block = block.context("the node closed the connection")??;
                    // The first blocks may be older than the state that was read at the start.
                    if block.number() <= state.number() {
                        continue;
                    }
                    let next = block.state().await?;
                    self.follow(&state, &next).await?;
                    state = next;
                    let resend = state.number().is_multiple_of(RESEND);
                    self.step(client, &state, resend).await?;
                }
                finished = self.finished.1.recv() => {
                    if let Some((job, outcome)) = finished {
                        self.finish(job, outcome, state.number())?;
                        self.step(client, &state, false).await?;
                    }
                }
                _ = round.tick() => {
                    timeout(SILENCE, client.ping()).await.context("the node is silent")??;
                    if self.rescan().await {
                        self.step(client, &state, false).await?;
                    }
                }
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }

    /// Looks for other model files. A folder that cannot be read does not stop the work at hand.
    pub async fn rescan(&self) -> bool {
        let executor = self.executor.clone();
        match tokio::task::spawn_blocking(move || executor.rescan()).await {
            Ok(Ok(changed)) => changed,
            Ok(Err(problem)) => {
                error!("{problem:#}");
                false
            }
            Err(problem) => {
                error!("looking for models failed: {problem}");
                false
            }
        }
    }

    async fn read_all(&mut self, state: &State) -> Result<()> {
        self.jobs = state.jobs().await?.into_iter().collect();
        self.jobs.retain(|_, job| !job.state.is_settled());
        self.drop_inputs_of_others();
        Ok(())
    }

    fn drop_inputs_of_others(&mut self) {
        let (jobs, me) = (&self.jobs, &self.me);
        self.inputs.retain(|id, _| {
            matches!(
                Standing::of(jobs.get(id), me),
                Standing::Open | Standing::Mine
            )
        });
    }

    /// Takes over what a finalised block changed.
    async fn follow(&mut self, last: &State, next: &State) -> Result<()> {
        if next.number() != last.number() + 1 {
            return self.read_all(next).await;
        }
        let events = next.events().await?;
        let touched: BTreeSet<JobId> = events.iter().filter_map(|event| event.job()).collect();
        for id in touched {
            match next.job(id).await? {
                Some(job) if !job.state.is_settled() => {
                    self.jobs.insert(id, job);
                }
                _ => {
                    self.jobs.remove(&id);
                }
            }
        }
        self.drop_inputs_of_others();
        Ok(())
    }

    /// Does what is to be done about every job.
    async fn step(&mut self, client: &Client, state: &State, resend: bool) -> Result<()> {
        let mut ids: BTreeSet<JobId> = self.jobs.keys().copied().collect();
        ids.extend(self.journal.jobs()?);
        for id in ids {
            // A step may end a transaction and the next one start another, so each job gets a few.
            for _ in 0..3 {
                let situation = self.situation(state, id).await?;
                let action = decide(situation);
                if action == Action::Rest {
                    if resend {
                        self.resend(client, id, situation).await?;
                    }
                    break;
                }
                if !self.act(client, state, id, action).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn situation(&self, state: &State, id: JobId) -> Result<Situation> {
        let job = self.jobs.get(&id);
        let pending = match self.journal.pending(id)? {
            None => None,
            Some(pending) => Some((
                pending.purpose,
                pending.transaction.fate(state, &self.me).await?,
            )),
        };
        let finalised = Standing::of(job, &self.me);
        Ok(Situation {
            finalised,
            pending,
            shunned: self.journal.shunned(id)?.is_some(),
            fetched: self.inputs.contains_key(&id),
            proved: finalised == Standing::Mine && self.proof(id)?.is_some(),
            working: self.working.contains(&id),
            late: job.is_some_and(|job| state.number() > u64::from(job.deadline)),
            wanted: match job {
                Some(job) if finalised == Standing::Open && pending.is_none() => {
                    self.wants(state, id, job)?
                }
                _ => false,
            },
        })
    }

    /// Whether a job is worth a claim.
    fn wants(&self, state: &State, id: JobId, job: &Job) -> Result<bool> {
        let Some(model) = self.executor.model(job.model()) else {
            return Ok(false);
        };
        if self
            .paused
            .get(&id)
            .is_some_and(|until| state.number() < *until)
        {
            return Ok(false);
        }
        let refuse = |reason: &str| {
            debug!(job = id, "not claimed: {reason}");
            Ok(false)
        };
        if !model.fits(job.batch) {
            return refuse("it is larger than the chain takes results");
        }
        if job.price < self.settings.min_price.saturating_mul(job.batch.into()) {
            return refuse("its price is too low");
        }
        let block = Duration::from_millis(state.block_time()?.max(1));
        let proving = model.estimate().as_millis().div_ceil(block.as_millis()) as u64;
        let left = u64::from(job.deadline).saturating_sub(state.number());
        if left < self.settings.margin.saturating_add(proving) {
            return refuse("too little time is left");
        }
        if self.load()? >= self.settings.max_jobs {
            return refuse("there are enough jobs at hand");
        }
        let at_hand = self.inputs.len() + self.working.len();
        if !self.inputs.contains_key(&id) && at_hand >= MAX_INPUTS {
            return refuse("enough inputs are being fetched");
        }
        Ok(true)
    }

    /// Jobs that this worker has or may be about to have.
    fn load(&self) -> Result<usize> {
        let mut mine: BTreeSet<JobId> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.state.is_assigned_to(&self.me))
            .map(|(id, _)| *id)
            .collect();
        for id in self.journal.jobs()? {
            if self
                .journal
                .pending(id)?
                .is_some_and(|pending| pending.purpose == Purpose::Claim)
            {
                mine.insert(id);
            }
        }
        Ok(mine.len())
    }

    /// A kept proof, if it answers the job as it is on this chain now.
    fn proof(&self, id: JobId) -> Result<Option<Receipt>> {
        let (Some(job), Some(proof)) = (self.jobs.get(&id), self.journal.proof(id)?) else {
            return Ok(None);
        };
        let answers = proof.model == job.model
            && proof.batch == job.batch
            && !proof.output.is_committed()
            && proof
                .input
                .public()
                .is_some_and(|input| input_commitment(proof.batch, input) == job.input_commitment)
            && proof.binding == self.binding(id).encode();
        if !answers {
            warn!(
                job = id,
                "the kept proof answers another job: it is dropped"
            );
            self.journal.drop_proof(id)?;
        }
        Ok(answers.then_some(proof))
    }

    fn binding(&self, job: JobId) -> JobBinding {
        JobBinding {
            genesis: self.genesis,
            job,
            payee: self.settings.payee.0,
        }
    }

    /// Does one thing about a job; whether there may be more to do at once.
    async fn act(
        &mut self,
        client: &Client,
        state: &State,
        id: JobId,
        action: Action,
    ) -> Result<bool> {
        match action {
            Action::Rest => Ok(false),
            Action::Forget => {
                info!(job = id, "settled: nothing is left to do");
                self.journal.forget(id)?;
                self.failures.remove(&id);
                self.paused.remove(&id);
                self.inputs.remove(&id);
                Ok(false)
            }
            Action::DropPending(over) => {
                self.end_pending(state, id, over)?;
                Ok(true)
            }
            Action::Fetch => {
                self.fetch(id);
                Ok(false)
            }
            Action::Work => {
                self.work(id)?;
                Ok(true)
            }
            Action::Send(purpose) => {
                self.send(client, state, id, purpose).await?;
                Ok(false)
            }
        }
    }

    fn end_pending(&mut self, state: &State, id: JobId, over: Over) -> Result<()> {
        let purpose = self.journal.pending(id)?.map(|pending| pending.purpose);
        self.metrics.ended(purpose, over);
        match (purpose, over) {
            (Some(Purpose::Claim), Over::Done) => info!(job = id, "the claim is finalised"),
            (Some(Purpose::Claim), Over::Failed) => {
                warn!(
                    job = id,
                    "the claim failed: leaving the job alone for {CLAIM_PAUSE} blocks"
                );
                self.paused.insert(id, state.number() + CLAIM_PAUSE);
            }
            (Some(Purpose::Result), Over::Failed) => {
                let failures = self.failures.entry(id).or_default();
                *failures += 1;
                warn!(
                    job = id,
                    "the chain did not take the result, {failures} times now"
                );
                if *failures >= MAX_FAILURES {
                    self.journal
                        .shun(id, "the chain does not take its result")?;
                }
            }
            (_, Over::Refused) => {
                error!(
                    job = id,
                    "the chain refused the proof: the job is not claimed again"
                );
                self.journal.shun(id, "the chain refused its proof")?;
            }
            (purpose, over) => info!(job = id, ?purpose, "the transaction is over: {over:?}"),
        }
        self.journal.drop_pending(id)
    }

    /// Starts to fetch the input of a job that is to be claimed.
    fn fetch(&mut self, id: JobId) {
        let Some((job, model)) = self.served(id) else {
            return;
        };
        debug!(job = id, "fetching the input");
        self.working.insert(id);
        let (executor, finished) = (self.executor.clone(), self.finished.0.clone());
        tokio::spawn(async move {
            let input = executor.look_for(&job, &model).await;
            // The receiver lives as long as the scheduler; after it nobody wants to know.
            let _ = finished.send((id, Outcome::Fetched(input)));
        });
    }

    /// A job and its model, if it is open and its model served.
    fn served(&self, id: JobId) -> Option<(Job, Arc<Served>)> {
        let job = self.jobs.get(&id)?.clone();
        let model = self.executor.model(job.model())?;
        Some((job, model))
    }

    /// Starts to run and prove.
    fn work(&mut self, id: JobId) -> Result<()> {
        let Some((job, model)) = self.served(id) else {
            warn!(
                job = id,
                "the model of a claimed job is not served any more: giving the job back"
            );
            return self.journal.shun(id, "its model is not served");
        };
        info!(job = id, samples = job.batch, "proving");
        self.working.insert(id);
        let (executor, binding, finished) = (
            self.executor.clone(),
            self.binding(id),
            self.finished.0.clone(),
        );
        let input = self.inputs.get(&id).cloned();
        tokio::spawn(async move {
            let input = match input {
                Some(input) => Ok(input),
                None => executor.fetch(&job, &model).await.map_err(Failure::Input),
            };
            let proof = match input {
                Ok(input) => executor.execute(model, binding, input).await,
                Err(failure) => Err(failure),
            };
            let _ = finished.send((id, Outcome::Proved(proof)));
        });
        Ok(())
    }

    fn finish(&mut self, id: JobId, outcome: Outcome, now: u64) -> Result<()> {
        match outcome {
            Outcome::Fetched(Ok(input)) => {
                self.inputs.insert(id, input);
            }
            Outcome::Fetched(Err(error)) => {
                warn!(
                    job = id,
                    "not claimed, and left alone for {CLAIM_PAUSE} blocks: {error}"
                );
                self.paused.insert(id, now + CLAIM_PAUSE);
            }
            Outcome::Proved(Ok((proof, took))) => {
                self.metrics.proved(took);
                self.journal.keep_proof(id, &proof)?;
                self.inputs.remove(&id);
            }
            Outcome::Proved(Err(failure)) => {
                error!(job = id, "giving the job back: {failure}");
                self.journal.shun(id, &failure.to_string())?;
            }
        }
        self.working.remove(&id);
        Ok(())
    }

    /// Signs a transaction about a job, keeps it, and sends it, unless the best block or the pool knows more.
    async fn send(
        &mut self,
        client: &Client,
        state: &State,
        id: JobId,
        purpose: Purpose,
    ) -> Result<()> {
        let best = client.best().await?;
        let (then, now) = (self.jobs.get(&id), best.job(id).await?);
        if Standing::of(then, &self.me) != Standing::of(now.as_ref(), &self.me) {
            debug!(
                job = id,
                ?purpose,
                "not sent: the best block has it elsewhere already"
            );
            return Ok(());
        }
        if purpose == Purpose::Claim && state.number() + 2 * CLAIM_PAUSE < best.number() {
            debug!(job = id, "not claimed: finality lags behind");
            return Ok(());
        }
        if purpose == Purpose::Result && self.unknown_in_flight(client, &best).await? {
            warn!(job = id, "not answered yet: the account has a transaction in flight that the journal does not know");
            return Ok(());
        }
        let signer = &self.settings.signer;
        let transaction = match purpose {
            Purpose::Claim => client.sign(&calls::claim_job(id), signer).await?,
            Purpose::Release => client.sign(&calls::release_job(id), signer).await?,
            Purpose::Expire => client.sign(&calls::expire_job(id), signer).await?,
            Purpose::Result => {
                let Some(Receipt {
                    input: Tensor::Public(input),
                    output: Tensor::Public(output),
                    proof,
                    ..
                }) = self.proof(id)?
                else {
                    return Ok(());
                };
                let input = calls::bytes(&input);
                let call = calls::submit_result(id, self.settings.payee, input, output, proof);
                client.sign(&call, signer).await?
            }
        };
        let pending = Pending {
            purpose,
            transaction,
        };
        // Kept before it is sent: after a crash in between it is sent again, the same bytes.
        self.journal.keep_pending(id, &pending)?;
        info!(
            job = id,
            ?purpose,
            nonce = pending.transaction.nonce,
            "sending"
        );
        if let Some(reason) = self.submit(client, id, &pending).await? {
            warn!(
                job = id,
                ?purpose,
                "the pool did not take it, it is tried again: {reason}"
            );
        }
        Ok(())
    }

    /// Whether the pool has transactions of the account besides those of the journal.
    async fn unknown_in_flight(&self, client: &Client, best: &State) -> Result<bool> {
        let used = best.nonce(&self.me).await?;
        let mut known = 0;
        for id in self.journal.jobs()? {
            known += u64::from(
                self.journal
                    .pending(id)?
                    .is_some_and(|pending| pending.transaction.nonce >= used),
            );
        }
        Ok(client.next_nonce(&self.me).await? > used + known)
    }

    async fn resend(&self, client: &Client, id: JobId, situation: Situation) -> Result<()> {
        if let (Some(_), Some(pending)) = (situation.pending, self.journal.pending(id)?) {
            if let Some(reason) = self.submit(client, id, &pending).await? {
                debug!(job = id, purpose = ?pending.purpose, "not sent again: {reason}");
            }
        }
        Ok(())
    }

    /// Hands a transaction to the pool, and logs what becomes of it; gives the reason if the pool does not take it.
    /// Decisions do not hang on either: they wait for finalised blocks.
    async fn submit(
        &self,
        client: &Client,
        id: JobId,
        pending: &Pending,
    ) -> Result<Option<String>> {
        let purpose = pending.purpose;
        match client.submit(&pending.transaction).await {
            Ok(progress) => {
                tokio::spawn(async move {
                    match progress.wait(Wait::Finalised).await {
                        Ok(included) => {
                            info!(job = id, ?purpose, block = ?included.block, "finalised")
                        }
                        Err(problem @ Error::Dispatch { .. }) => {
                            warn!(job = id, ?purpose, "the call failed: {problem}")
                        }
                        Err(problem) => debug!(
                            job = id,
                            ?purpose,
                            "lost sight of the transaction: {problem}"
                        ),
                    }
                });
                Ok(None)
            }
            Err(Error::Rejected(reason)) => Ok(Some(reason)),
            Err(problem) => Err(problem.into()),
        }
    }
}
