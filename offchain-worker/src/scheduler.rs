//! Follows the chain and acts on it.
//!
//! Only finalised blocks count for decisions; the best block is looked at last, before something is sent, so that
//! nothing is sent about what is already under way.

use crate::{
    blob::FetchError,
    choice::{objection, rank, share, Means},
    decision::{decide, Action, Over, Situation, Standing},
    executor::{run, Executor, Failure, Served},
    heartbeat::Heart,
    journal::{Answer, Journal, Purpose},
    metrics::Metrics,
};
use anyhow::{Context, Result};
use ciro_client::{
    types::{Balance, Capabilities, Job, JobState, Verification},
    AccountId, Client, Keypair, State,
};
use ciro_primitives::{input_commitment, JobId};
use ciro_zkml_verifier::Receipt;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{interval, timeout, MissedTickBehavior},
};
use tracing::{debug, error, info, warn};

mod proving;
#[cfg(test)]
mod tests;
mod transactions;

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

/// Transactions about a job that may fail before it is given back.
const MAX_FAILURES: u32 = 3;

/// What a worker is told when it starts.
pub struct Settings {
    /// Who signs.
    pub signer: Keypair,
    /// Who is paid.
    pub payee: AccountId,
    /// Jobs that it may have at once.
    pub max_jobs: usize,
    /// Samples of several jobs that one proof may be of.
    pub batch: u32,
    /// What its machine can do.
    pub capabilities: Capabilities,
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
    heart: Heart,
    /// What the account can take on, as of the last finalised block.
    means: Means,
    metrics: Metrics,
    /// Every job of the chain that is not settled, as of the last finalised block.
    jobs: BTreeMap<JobId, Job>,
    working: HashSet<JobId>,
    /// Jobs that wait for their proof, their inputs at hand.
    queue: VecDeque<JobId>,
    /// Whether a proof is being made. One at a time: a proof uses every core by itself.
    proving: bool,
    /// Jobs that are to be proved by themselves, as they could not be with others.
    alone: HashSet<JobId>,
    /// Inputs at hand of jobs that this worker has or wants.
    inputs: HashMap<JobId, Vec<i8>>,
    /// Transactions that failed in a block, by job.
    failures: HashMap<JobId, u32>,
    /// Jobs that are not to be claimed before a block.
    paused: HashMap<JobId, u64>,
    finished: (
        mpsc::UnboundedSender<Finished>,
        mpsc::UnboundedReceiver<Finished>,
    ),
}

/// Work that is done.
enum Finished {
    /// The input of a job was looked for, to claim it.
    Looked(JobId, Result<Vec<i8>, FetchError>),
    /// The input of a claimed job was fetched, to prove it.
    Fetched(JobId, Result<Vec<i8>, Failure>),
    /// A job was run.
    Answered(JobId, Result<Answer, Failure>),
    /// Jobs were run and proved by one proof, in that time.
    Proved(Vec<JobId>, Result<(Receipt, Duration), Failure>),
}

impl Scheduler {
    /// A worker that has done nothing yet; it goes on where its journal says it stopped.
    pub fn new(
        settings: Settings,
        genesis: [u8; 32],
        journal: Journal,
        executor: Arc<Executor>,
        heart: Heart,
        metrics: Metrics,
    ) -> Self {
        Self {
            me: ciro_client::account(&settings.signer),
            settings,
            genesis,
            journal,
            executor,
            heart,
            means: Means::default(),
            metrics,
            jobs: BTreeMap::new(),
            working: HashSet::new(),
            queue: VecDeque::new(),
            proving: false,
            alone: HashSet::new(),
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
        self.complete_journal()?;
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
                    self.heart.beat(client, &state).await?;
                    let resend = state.number().is_multiple_of(RESEND);
                    self.step(client, &state, resend).await?;
                }
                finished = self.finished.1.recv() => {
                    if let Some(finished) = finished {
                        self.finish(finished, state.number())?;
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
        self.drop_inputs_of_others(state.number());
        Ok(())
    }

    fn drop_inputs_of_others(&mut self, now: u64) {
        let (jobs, me) = (&self.jobs, &self.me);
        self.inputs.retain(|id, _| {
            let standing = Standing::of(jobs.get(id), me, now);
            standing.is_own() || matches!(standing, Standing::Open | Standing::Late)
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
        self.drop_inputs_of_others(next.number());
        Ok(())
    }

    /// Does what is to be done about every job, the more urgent and better paid first.
    async fn step(&mut self, client: &Client, state: &State, resend: bool) -> Result<()> {
        self.means = Means::read(state, &self.me, self.settings.max_jobs).await?;
        let mut ids: BTreeSet<JobId> = self.jobs.keys().copied().collect();
        ids.extend(self.journal.jobs()?);
        let mut ids: Vec<JobId> = ids.into_iter().collect();
        ids.sort_by_key(|id| self.jobs.get(id).map(|job| rank(job, state.number())));
        let mut resent = BTreeSet::new();
        for id in ids {
            // A step may end a transaction and the next one start another, so each job gets a few.
            for _ in 0..3 {
                let situation = self.situation(state, id).await?;
                let action = decide(situation);
                if action == Action::Rest {
                    if resend {
                        self.resend(client, id, situation, &mut resent).await?;
                    }
                    break;
                }
                if !self.act(client, state, id, action, situation.proof).await? {
                    break;
                }
            }
        }
        self.prove_next(state.number())
    }

    async fn situation(&mut self, state: &State, id: JobId) -> Result<Situation> {
        let now = state.number();
        let job = self.jobs.get(&id);
        let pending = match self.journal.pending(id)? {
            None => None,
            Some(pending) => Some((
                pending.purpose,
                pending.transaction.fate(state, &self.me).await?,
            )),
        };
        let finalised = Standing::of(job, &self.me, now);
        let proof = job.is_some_and(|job| takes_proof(job, finalised));
        let (late, turn) = job.map_or((false, false), |job| {
            (now > u64::from(job.deadline), is_turn(job, &self.me, now))
        });
        let claimable = matches!(finalised, Standing::Open | Standing::Late);
        Ok(Situation {
            finalised,
            pending,
            shunned: self.journal.shunned(id)?.is_some(),
            fetched: self.inputs.contains_key(&id),
            proof,
            // While a transaction is under way nothing follows from it.
            ready: finalised.is_own() && pending.is_none() && self.is_ready(id, proof, now)?,
            working: self.working.contains(&id),
            late,
            wanted: claimable && pending.is_none() && self.wants(state, id, finalised).await?,
            turn,
        })
    }

    /// Whether the proof of a job is made, or else its output.
    fn is_ready(&mut self, id: JobId, proof: bool, now: u64) -> Result<bool> {
        Ok(if proof {
            self.proof(id, now)?.is_some()
        } else {
            self.answer(id)?.is_some()
        })
    }

    /// Whether a job is worth a claim.
    async fn wants(&mut self, state: &State, id: JobId, finalised: Standing) -> Result<bool> {
        let now = state.number();
        if self.paused.get(&id).is_some_and(|until| now < *until) {
            return Ok(false);
        }
        let Some((job, model)) = self.served(id) else {
            return Ok(false);
        };
        let block = Duration::from_millis(state.block_time()?);
        let means = self.left(state)?;
        let collateral = state.collateral(share(&job, now))?;
        let at_hand = self.inputs.len() + self.working.len();
        let reason = match objection(&job, now, &model, block, means, collateral, &self.settings) {
            None if !self.inputs.contains_key(&id) && at_hand >= MAX_INPUTS => {
                Some("enough inputs are being fetched")
            }
            reason => reason,
        };
        if let Some(reason) = reason {
            debug!(job = id, "not claimed: {reason}");
            return Ok(false);
        }
        // Better workers may claim before this one; whoever is late may be relieved at once.
        let from = state
            .eligible_from(id, &self.me)
            .await?
            .map_or(now, u64::from);
        if finalised == Standing::Open && from > now + 1 {
            debug!(job = id, block = from, "not claimed before that block");
            self.paused.insert(id, from - 1);
            return Ok(false);
        }
        Ok(true)
    }

    /// What the account can take on besides the jobs that it has or may be about to have.
    fn left(&self, state: &State) -> Result<Means> {
        let now = state.number();
        let (mut owed, mut stake) = (BTreeSet::new(), 0);
        for (id, job) in &self.jobs {
            if Standing::of(Some(job), &self.me, now).is_owed() {
                owed.insert(*id);
            }
        }
        for id in self.journal.jobs()? {
            let pending = self.journal.pending(id)?.map(|pending| pending.purpose);
            if let (Some(Purpose::Claim | Purpose::Rescue), Some(job)) =
                (pending, self.jobs.get(&id))
            {
                if owed.insert(id) {
                    stake += state.collateral(share(job, now))?;
                }
            }
        }
        Ok(self.means.less(owed.len(), stake))
    }

    /// A kept answer, if it is one to the job as it is on this chain now.
    fn answer(&self, id: JobId) -> Result<Option<Answer>> {
        let (Some(job), Some(answer)) = (self.jobs.get(&id), self.journal.answer(id)?) else {
            return Ok(None);
        };
        let answers = input_commitment(job.batch, &answer.input) == job.input_commitment;
        Ok(answers.then_some(answer))
    }

    /// Does one thing about a job; whether there may be more to do at once.
    async fn act(
        &mut self,
        client: &Client,
        state: &State,
        id: JobId,
        action: Action,
        proof: bool,
    ) -> Result<bool> {
        match action {
            Action::Rest => Ok(false),
            Action::Forget => {
                info!(job = id, "settled: nothing is left to do");
                self.journal.forget(id)?;
                self.failures.remove(&id);
                self.paused.remove(&id);
                self.inputs.remove(&id);
                self.alone.remove(&id);
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
                self.work(id, proof)?;
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
            (Some(Purpose::Claim | Purpose::Rescue), Over::Done) => {
                info!(job = id, "the claim is finalised")
            }
            (Some(Purpose::Claim | Purpose::Rescue), Over::Failed) => {
                warn!(
                    job = id,
                    "the claim failed: leaving the job alone for {CLAIM_PAUSE} blocks"
                );
                self.paused.insert(id, state.number() + CLAIM_PAUSE);
            }
            (Some(purpose), Over::Failed) if purpose != Purpose::Expire => {
                let failures = self.failures.entry(id).or_default();
                *failures += 1;
                warn!(
                    job = id,
                    ?purpose,
                    "the chain did not take it, {failures} times now"
                );
                if *failures >= MAX_FAILURES {
                    self.journal
                        .shun(id, "the chain does not take what is sent for it")?;
                }
                if purpose == Purpose::Result {
                    self.part(id)?;
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
            let _ = finished.send(Finished::Looked(id, input));
        });
    }

    /// A job and its model, if it is open and its model served.
    fn served(&self, id: JobId) -> Option<(Job, Arc<Served>)> {
        let job = self.jobs.get(&id)?.clone();
        let model = self.executor.model(job.model())?;
        Some((job, model))
    }

    /// Starts to run, or to prove if it takes a proof.
    fn work(&mut self, id: JobId, proof: bool) -> Result<()> {
        let Some((job, model)) = self.served(id) else {
            warn!(
                job = id,
                "the model of a claimed job is not served any more: giving the job back"
            );
            return self.journal.shun(id, "its model is not served");
        };
        self.working.insert(id);
        let kept = self.answer(id)?.map(|answer| answer.input);
        let input = self.inputs.get(&id).cloned().or(kept);
        if let (Some(input), true) = (&input, proof) {
            self.inputs.insert(id, input.clone());
            self.queue.push_back(id);
            return Ok(());
        }
        info!(job = id, samples = job.batch, "running");
        let (executor, finished) = (self.executor.clone(), self.finished.0.clone());
        tokio::spawn(async move {
            let input = match input {
                Some(input) => Ok(input),
                None => executor.fetch(&job, &model).await.map_err(Failure::Input),
            };
            let _ = finished.send(match (input, proof) {
                (input, true) => Finished::Fetched(id, input),
                (Ok(input), false) => Finished::Answered(id, run(model, input).await),
                (Err(failure), false) => Finished::Answered(id, Err(failure)),
            });
        });
        Ok(())
    }

    fn finish(&mut self, finished: Finished, now: u64) -> Result<()> {
        match finished {
            Finished::Looked(id, Ok(input)) => {
                self.inputs.insert(id, input);
                self.working.remove(&id);
            }
            Finished::Looked(id, Err(error)) => {
                warn!(
                    job = id,
                    "not claimed, and left alone for {CLAIM_PAUSE} blocks: {error}"
                );
                self.paused.insert(id, now + CLAIM_PAUSE);
                self.working.remove(&id);
            }
            Finished::Fetched(id, Ok(input)) => {
                self.inputs.insert(id, input);
                self.queue.push_back(id);
            }
            Finished::Answered(id, Ok(answer)) => {
                self.journal.keep_answer(id, &answer)?;
                self.inputs.remove(&id);
                self.working.remove(&id);
            }
            Finished::Fetched(id, Err(failure)) | Finished::Answered(id, Err(failure)) => {
                self.give_up(id, &failure)?;
            }
            Finished::Proved(ids, proved) => self.finish_proof(ids, proved)?,
        }
        Ok(())
    }

    fn give_up(&mut self, id: JobId, failure: &Failure) -> Result<()> {
        error!(job = id, "giving the job back: {failure}");
        self.working.remove(&id);
        self.journal.shun(id, &failure.to_string())
    }
}

/// Whether a job of this standing takes a proof to go on, or else an output.
fn takes_proof(job: &Job, finalised: Standing) -> bool {
    finalised == Standing::Accused || job.verification == Verification::ZkMl
}

/// Whether it is the worker's turn to settle a job in this block: those who have voted take turns, so that not all of them
/// pay for the same.
fn is_turn(job: &Job, me: &AccountId, now: u64) -> bool {
    match &job.state {
        JobState::Voting { seats, .. } => {
            let place = seats.iter().position(|seat| seat.worker == *me);
            place.is_some_and(|place| now % (seats.len() as u64) == place as u64)
        }
        _ => true,
    }
}
