//! The load: a requester and workers who keep the chain as busy as it can be.
//!
//! With every best block the requester submits as many jobs as are missing from its stock, and the workers claim and
//! answer as many as are missing from what they have on the way. A worker's transactions follow each other by nonce, so
//! that a claim and its results can be sent at once.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use ciro_e2e::{until, Devnet};
use ciro_primitives::JobId;
use ciro_runtime::{AccountId, Hash, Header, Nonce, RuntimeCall};
use frame_support::dispatch::GetDispatchInfo;
use tokio::time::timeout;

use crate::accounts::{pair, Account};
use crate::chain::{slot, Chain};
use crate::ledger;
use crate::machine::{Usage, Work};
use crate::market::{self, CLAIMED_AT_ONCE, REQUESTER, SUBMITTED_AT_ONCE, WORKERS};
use crate::proofs::{Answer, Jobs};

/// How long a block may take before the chain counts as stalled.
const STALLED: Duration = Duration::from_secs(60);
/// Blocks' worth of results that are on the way: the pool is never empty when a block is built.
const BACKLOG: usize = 3;
/// Blocks' worth of jobs that are submitted beyond those whose head start is not over.
const STOCK: usize = 2;
/// Blocks by which a claim comes later than it may, for a block may be replaced by another.
const MARGIN: u32 = 1;
/// Blocks that are needed before the measurement begins, and for missed ones to be made up for.
const LEAD: usize = 6;

/// What a run of the load left behind, besides what is in the chain.
pub struct Run {
    /// The slots that count.
    pub slots: Range<u64>,
    /// A finalised block after them.
    pub last: Hash,
    /// Seconds from the run's begin until each job was submitted, and its result sent.
    pub submitted: Vec<f64>,
    pub answered: Vec<f64>,
    /// When blocks up to these heights were seen to be final.
    pub seen: Vec<(u32, f64)>,
    /// Blocks from the best one to the finalised one, block by block.
    pub lag: Vec<u32>,
    /// What the machine did meanwhile.
    pub work: Work,
    /// Transactions that a pool did not take.
    pub refused: u32,
    /// Bytes of a transaction with a result, on average.
    pub result_bytes: f64,
}

/// The accounts of [`WORKERS`].
pub fn payees() -> Result<Vec<AccountId>> {
    use sp_core::Pair;
    let payee = |secret: &&str| Ok(pair(secret)?.public().into());
    WORKERS.iter().map(payee).collect()
}

/// What a job weighs, in picoseconds: its submission, its claim and its part of a result.
pub fn weights(jobs: &Jobs, answer: &Answer) -> [u64; 3] {
    let weight = |call: &RuntimeCall| call.get_dispatch_info().call_weight.ref_time();
    let payee = AccountId::new([0; 32]);
    let together = jobs.together() as u64;
    [
        weight(&market::submit(jobs, 0..SUBMITTED_AT_ONCE as JobId)) / SUBMITTED_AT_ONCE as u64,
        weight(&market::claim(jobs, &[0])) / together,
        weight(&market::answer(jobs, 0, &payee, answer)) / together,
    ]
}

/// Proofs that a block can take, by its bytes or by the weight of all that their jobs need.
pub fn capacity(jobs: &Jobs, answers: &[Answer]) -> usize {
    let Some(answer) = answers.first() else {
        return 0;
    };
    let weight = weights(jobs, answer).iter().sum::<u64>() * jobs.together() as u64;
    let by_length = f64::from(ledger::length_limit()) / mean_size(jobs, answers);
    (by_length as usize).min((ledger::weight_limit() / weight) as usize)
}

/// Answers that the load may need in so many slots.
pub fn needed(capacity: usize, slots: u64) -> usize {
    capacity * (slots as usize + LEAD)
}

/// Finalised blocks as they are seen.
struct Finality {
    begin: Instant,
    heads: Arc<Mutex<Vec<(Header, f64)>>>,
}

impl Finality {
    async fn watch(chain: &Chain) -> Result<Self> {
        let begin = Instant::now();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, mut news) = (heads.clone(), chain.finalised_heads().await?);
        tokio::spawn(async move {
            while let Some(Ok(head)) = news.next().await {
                let at = begin.elapsed().as_secs_f64();
                seen.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((head, at));
            }
        });
        Ok(Self { begin, heads })
    }

    fn now(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }

    fn with<T>(&self, look: impl FnOnce(&[(Header, f64)]) -> T) -> T {
        look(&self.heads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn height(&self) -> u32 {
        self.with(|heads| heads.last().map_or(0, |(head, _)| head.number))
    }

    /// Hash of the first block that is seen to be final in this slot or later.
    async fn beyond(&self, end: u64) -> Result<Hash> {
        until("the last blocks become final", STALLED * 3, async || {
            Ok(self.with(|heads| {
                let (head, _) = heads.last()?;
                let beyond = slot(head).is_ok_and(|slot| u64::from(slot) >= end);
                beyond.then(|| head.hash())
            }))
        })
        .await
    }
}

struct Load<'a> {
    jobs: &'a Jobs,
    answers: &'a [Answer],
    /// Jobs that a block can take.
    capacity: usize,
    requester: Account,
    workers: Vec<Account>,
    /// Blocks from a job's submission until any of the workers may claim it.
    head_start: u32,
    /// The requester's calls that are in no best block yet, and the job after the last of each.
    submitting: VecDeque<(Nonce, JobId)>,
    /// The job after the last of a call, and a block by which it is in the chain.
    open: VecDeque<(JobId, u32)>,
    /// Proofs whose jobs are claimed and answered.
    proven: usize,
    submitted: Vec<f64>,
    answered: Vec<f64>,
}

/// Keeps the chain busy for so many slots. `answers` are the first ones.
pub async fn run(devnet: &Devnet, jobs: &Jobs, answers: &[Answer], slots: u64) -> Result<Run> {
    let chain = Chain::connect(devnet.first()).await?;
    let genesis = chain.genesis().await?;
    let account = async |index: usize, secret: &str| {
        let node = &devnet.nodes[index % devnet.nodes.len()];
        Account::new(secret, genesis, Chain::connect(node).await?)
    };
    let mut workers = Vec::new();
    for (index, secret) in WORKERS.iter().enumerate() {
        workers.push(account(index, secret).await?);
    }
    let result_bytes = mean_size(jobs, answers);
    let mut load = Load {
        jobs,
        answers,
        capacity: capacity(jobs, answers) * jobs.together(),
        requester: account(0, REQUESTER).await?,
        workers,
        head_start: 0,
        submitting: VecDeque::new(),
        open: VecDeque::new(),
        proven: 0,
        submitted: Vec::new(),
        answered: Vec::new(),
    };
    load.prepare(&chain, devnet).await?;

    let finality = Finality::watch(&chain).await?;
    let mut heads = chain.best_heads().await?;
    let mut begun: Option<(Range<u64>, Usage)> = None;
    let mut lag = Vec::new();
    let (slots, usage) = loop {
        let head = timeout(STALLED, heads.next()).await;
        let head = head
            .context("the chain stalled")?
            .context("the node left")??;
        let now = u64::from(slot(&head)?);
        if let Some((slots, usage)) = begun.as_ref().filter(|(slots, _)| now >= slots.end) {
            break (slots.clone(), usage.clone());
        }
        load.go_on(&chain, &head, &finality).await?;
        match &begun {
            Some(_) => lag.push(head.number.saturating_sub(finality.height())),
            // The first full block is over: from here on the load is steady.
            None if load.done() >= load.capacity => {
                let slots = now + 1..now + 1 + slots;
                begun = Some((slots, Usage::now(&devnet.nodes).await?));
            }
            None => {}
        }
    };
    let work = &Usage::now(&devnet.nodes).await? - &usage;
    let last = finality.beyond(slots.end).await?;
    Ok(Run {
        seen: finality.with(|heads| heads.iter().map(|(head, at)| (head.number, *at)).collect()),
        slots,
        last,
        lag,
        work,
        refused: load.accounts().map(Account::refused).sum(),
        submitted: load.submitted,
        answered: load.answered,
        result_bytes,
    })
}

/// Bytes of a transaction that brings one of the first answers, on average.
pub fn mean_size(jobs: &Jobs, answers: &[Answer]) -> f64 {
    let Ok(signer) = pair(REQUESTER) else {
        return f64::MAX;
    };
    let payee = AccountId::new([0; 32]);
    let sizes = answers.iter().take(100).enumerate().map(|(nth, answer)| {
        let call = market::answer(jobs, nth, &payee, answer);
        crate::accounts::sign(call, &signer, 0, Hash::zero()).len()
    });
    let sizes: Vec<usize> = sizes.collect();
    sizes.iter().sum::<usize>() as f64 / sizes.len().max(1) as f64
}

impl Load<'_> {
    fn accounts(&self) -> impl Iterator<Item = &Account> {
        std::iter::once(&self.requester).chain(&self.workers)
    }

    /// Model, stakes and workers; and how long the workers must wait for a new job.
    async fn prepare(&mut self, chain: &Chain, devnet: &Devnet) -> Result<()> {
        self.requester.send(market::register_model(self.jobs)?, 0);
        self.requester.send(market::submit(self.jobs, 0..1), 0);
        self.submitted.push(0.0);
        for (worker, secret) in self.workers.iter_mut().zip(WORKERS) {
            worker.send(market::enrol(&pair(secret)?), 0);
        }
        let ids: Vec<AccountId> = self
            .accounts()
            .map(|account| account.id().clone())
            .collect();
        let mut heads = chain.finalised_heads().await?;
        loop {
            let head = timeout(STALLED, heads.next()).await;
            let head: Header = head
                .context("the chain stalled")?
                .context("the node left")??;
            let nonces = chain.nonces(&ids, head.hash()).await?;
            self.note(&nonces);
            if nonces[0] == 2 && nonces[1..].iter().all(|nonce| *nonce == 1) {
                break;
            }
        }
        let state = devnet.first().client().await?.finalised().await?;
        let first = state.job(0).await?.context("there is no job 0")?;
        for worker in &self.workers {
            let who = ciro_client::AccountId(worker.id().clone().into());
            let operator = state.operator(&who).await?;
            ensure!(operator.is_some(), "a worker's stake was not taken");
            let from = state.eligible_from(0, &who).await?;
            let wait = from
                .context("there is no job 0")?
                .saturating_sub(first.opened);
            self.head_start = self.head_start.max(wait);
        }
        self.open.push_back((1, first.opened));
        Ok(())
    }

    fn note(&mut self, nonces: &[Nonce]) {
        let accounts = std::iter::once(&mut self.requester).chain(&mut self.workers);
        for (account, nonce) in accounts.zip(nonces) {
            account.included(*nonce);
        }
    }

    /// Jobs whose results are on the way.
    fn on_the_way(&self) -> usize {
        let proofs = self.accounts().map(Account::results_on_the_way);
        proofs.sum::<u32>() as usize * self.jobs.together()
    }

    /// Jobs whose results are sent.
    fn answered(&self) -> usize {
        self.proven * self.jobs.together()
    }

    /// Jobs whose results are in a best block.
    fn done(&self) -> usize {
        self.answered().saturating_sub(self.on_the_way())
    }

    /// What follows from a new best block.
    async fn go_on(&mut self, chain: &Chain, head: &Header, clock: &Finality) -> Result<()> {
        let ids: Vec<AccountId> = self
            .accounts()
            .map(|account| account.id().clone())
            .collect();
        let nonces = chain.nonces(&ids, head.hash()).await?;
        self.note(&nonces);
        while let Some((nonce, end)) = self.submitting.front().copied() {
            if nonce >= nonces[0] {
                break;
            }
            self.submitting.pop_front();
            self.open.push_back((end, head.number));
        }
        self.work(head.number + 1, clock);
        self.ask(clock);
        Ok(())
    }

    /// Claims and answers what may be claimed in block `next`, up to the backlog.
    fn work(&mut self, next: u32, clock: &Finality) {
        let wait = self.head_start + MARGIN;
        let ready = self
            .open
            .iter()
            .take_while(|(_, opened)| opened + wait <= next);
        let ready = ready.last().map_or(0, |(end, _)| *end);
        self.open.retain(|(end, _)| *end > ready);
        if ready as usize > self.answered() {
            // What was taken above must be found again if the backlog has no room for all of it.
            self.open.push_front((ready, next - wait));
        }
        let room = (BACKLOG * self.capacity).saturating_sub(self.on_the_way());
        let together = self.jobs.together();
        let end = (ready as usize / together)
            .min(self.proven + room / together)
            .min(self.answers.len())
            .max(self.proven);
        for index in 0..self.workers.len() {
            let own = |nth: &usize| self.jobs.worker(*nth) == index;
            let proofs: Vec<usize> = (self.proven..end).filter(own).collect();
            let worker = &mut self.workers[index];
            for proofs in proofs.chunks((CLAIMED_AT_ONCE / together).max(1)) {
                worker.send(market::claim(self.jobs, proofs), 0);
                for nth in proofs {
                    let payee = worker.id().clone();
                    let answer = &self.answers[*nth];
                    worker.send(market::answer(self.jobs, *nth, &payee, answer), 1);
                }
            }
        }
        self.proven = end;
        self.answered.resize(end * together, clock.now());
    }

    /// Submits jobs up to the stock.
    fn ask(&mut self, clock: &Finality) {
        let stock = self.capacity * (self.head_start as usize + STOCK);
        let all = self.answers.len() * self.jobs.together();
        let wanted = (self.answered() + stock).min(all);
        while self.submitted.len() < wanted {
            let first = self.submitted.len();
            let end = (first + SUBMITTED_AT_ONCE).min(all);
            let call = market::submit(self.jobs, first as JobId..end as JobId);
            let nonce = self.requester.send(call, 0);
            self.submitting.push_back((nonce, end as JobId));
            self.submitted.resize(end, clock.now());
        }
    }
}
