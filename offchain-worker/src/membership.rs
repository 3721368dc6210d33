//! The worker's place among the operators: its registration, and the stake that stands for it.
//!
//! Whatever is missing is put right at every start, one transaction after the other. Each waits until nothing of the
//! account is in flight, so that a worker that was killed in between neither registers nor stakes twice.

use anyhow::Result;
use ciro_client::{
    account, calls,
    types::{Balance, Capabilities, Operator, Worker},
    AccountId, Amount, Client, Error, Included, Keypair, State, Wait,
};
use std::{fs, path::Path, time::Duration};
use tokio::time::{sleep, timeout};
use tracing::info;

/// How long transactions of the account that this worker did not send may stay in flight.
const PATIENCE: Duration = Duration::from_secs(300);

/// Pause between two looks at what is in flight.
const LOOK: Duration = Duration::from_secs(2);

/// Throughput of a core that is assumed where none is given, in 10^9 operations a second.
const GFLOPS_PER_CORE: u32 = 32;

/// What a worker says of itself, and how much it is to stake.
pub struct Terms {
    /// What its machine can do.
    pub capabilities: Capabilities,
    /// Public key of its heartbeats.
    pub heartbeat_key: [u8; 32],
    /// Own stake to top up to; nothing to leave the stake as it is.
    pub stake: Option<Balance>,
}

/// Why the account cannot work, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(String);

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Register,
    ChangeKey,
    Update,
    Reactivate,
    Stake(Balance),
    TakeRole { validator: bool },
}

/// The first thing that is missing, if anything is.
fn missing(
    worker: Option<&Worker>,
    operator: Option<&Operator>,
    terms: &Terms,
    least: Balance,
) -> Result<Option<Step>, Unfit> {
    let Some(worker) = worker else {
        return Ok(Some(Step::Register));
    };
    if worker.heartbeat_key != terms.heartbeat_key {
        return Ok(Some(Step::ChangeKey));
    }
    if worker.capabilities != terms.capabilities {
        return Ok(Some(Step::Update));
    }
    if worker.presence.inactive_since.is_some() {
        return Ok(Some(Step::Reactivate));
    }
    let own = operator.map_or(0, |operator| operator.own);
    if let Some(wanted) = terms.stake.filter(|wanted| *wanted > own) {
        return Ok(Some(Step::Stake(wanted - own)));
    }
    let roles = operator.map(|operator| operator.roles);
    match roles {
        Some(roles) if roles.worker && own >= least => Ok(None),
        Some(roles) if own >= least && terms.stake.is_some() => Ok(Some(Step::TakeRole {
            validator: roles.validator,
        })),
        _ => {
            let (own, least) = (Amount(own), Amount(least));
            let role = match roles {
                Some(roles) if roles.worker => "as",
                _ => "but not as",
            };
            Err(Unfit(format!(
                "the account has {own} CIRO of its own at stake, {role} a worker, which takes {least} CIRO: start it \
                 with --stake {least} or more, or see `ciro stake`"
            )))
        }
    }
}

/// Makes the account a registered worker with a stake, unless it is one.
pub async fn join(client: &Client, signer: &Keypair, terms: &Terms) -> Result<()> {
    let me = account(signer);
    loop {
        let mut state = client.finalised().await?;
        if next(&state, &me, terms).await?.is_none() {
            return Ok(());
        }
        state = timeout(PATIENCE, settled(client, &me))
            .await
            .map_err(|_| {
                Unfit("the account has transactions in flight that come to nothing".into())
            })??;
        let Some(step) = next(&state, &me, terms).await? else {
            return Ok(());
        };
        info!("{}", words(&step));
        match send(client, signer, terms, &step).await {
            Ok(_) => {}
            Err(error @ Error::Dispatch { .. }) => {
                return Err(Unfit(format!("{} failed: {error}", words(&step))).into())
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn next(state: &State, me: &AccountId, terms: &Terms) -> Result<Option<Step>> {
    let (worker, operator) = (state.worker(me).await?, state.operator(me).await?);
    let least = state.min_operator_stake()?;
    Ok(missing(worker.as_ref(), operator.as_ref(), terms, least)?)
}

/// The finalised state once it has every transaction of the account that the node knows.
async fn settled(client: &Client, me: &AccountId) -> Result<State> {
    loop {
        let state = client.finalised().await?;
        if client.next_nonce(me).await? <= state.nonce(me).await? {
            return Ok(state);
        }
        sleep(LOOK).await;
    }
}

async fn send(
    client: &Client,
    signer: &Keypair,
    terms: &Terms,
    step: &Step,
) -> Result<Included, Error> {
    let wait = Wait::Finalised;
    match step {
        Step::Register => {
            let call = calls::register_worker(terms.capabilities.clone(), terms.heartbeat_key);
            client.execute(&call, signer, wait).await
        }
        Step::ChangeKey => {
            let call = calls::set_heartbeat_key(terms.heartbeat_key);
            client.execute(&call, signer, wait).await
        }
        Step::Update => {
            let call = calls::update_worker(terms.capabilities.clone());
            client.execute(&call, signer, wait).await
        }
        Step::Reactivate => client.execute(&calls::reactivate(), signer, wait).await,
        Step::Stake(amount) => client.execute(&calls::stake(*amount), signer, wait).await,
        Step::TakeRole { validator } => {
            let call = calls::set_roles(true, *validator);
            client.execute(&call, signer, wait).await
        }
    }
}

fn words(step: &Step) -> String {
    match step {
        Step::Register => "registering as a worker".into(),
        Step::ChangeKey => "registering the heartbeat key".into(),
        Step::Update => "registering what the machine can do".into(),
        Step::Reactivate => "ending the registered absence".into(),
        Step::Stake(amount) => format!("staking {} CIRO", Amount(*amount)),
        Step::TakeRole { .. } => "taking the role of a worker".into(),
    }
}

/// Throughput of this machine, in 10^9 operations a second: a guess by its cores.
pub fn gflops() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores)
        .unwrap_or(u32::MAX)
        .saturating_mul(GFLOPS_PER_CORE)
}

/// Memory of this machine in MiB, as far as its system says.
pub fn memory() -> u32 {
    let read = fs::read_to_string(Path::new("/proc/meminfo"));
    read.ok().and_then(|text| total_mib(&text)).unwrap_or(0)
}

fn total_mib(meminfo: &str) -> Option<u32> {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    u32::try_from(kib / 1024).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciro_client::types::{Presence, Region, Roles};

    const LEAST: Balance = 100;

    fn terms(stake: Option<Balance>) -> Terms {
        Terms {
            capabilities: capabilities(1),
            heartbeat_key: [1; 32],
            stake,
        }
    }

    fn capabilities(memory: u32) -> Capabilities {
        Capabilities {
            gpu_model: vec![],
            memory,
            gflops: 1,
            region: Region::Other,
            peer_address: vec![],
        }
    }

    fn worker() -> Worker {
        Worker {
            capabilities: capabilities(1),
            heartbeat_key: [1; 32],
            deposit: 1,
            presence: Presence {
                registered: 1,
                heard: 1,
                inactive_since: None,
            },
        }
    }

    fn operator(own: Balance, worker: bool) -> Operator {
        Operator {
            roles: Roles {
                worker,
                validator: true,
            },
            total: own,
            own,
            reserved: 0,
            positions: 1,
        }
    }

    #[test]
    fn a_stranger_registers_stakes_and_takes_the_role() {
        let terms = terms(Some(150));
        let step = |worker: Option<&Worker>, operator: Option<&Operator>| {
            missing(worker, operator, &terms, LEAST).unwrap()
        };
        let known = worker();
        assert_eq!(step(None, None), Some(Step::Register));
        assert_eq!(step(Some(&known), None), Some(Step::Stake(150)));
        let staked = operator(150, false);
        // A validator stays one.
        let role = Step::TakeRole { validator: true };
        assert_eq!(step(Some(&known), Some(&staked)), Some(role));
        assert_eq!(step(Some(&known), Some(&operator(150, true))), None);
        let topped = step(Some(&known), Some(&operator(120, true)));
        assert_eq!(topped, Some(Step::Stake(30)));
        assert_eq!(step(Some(&known), Some(&operator(500, true))), None);
    }

    #[test]
    fn what_is_registered_follows_what_is() {
        let step = |worker: Worker| {
            missing(
                Some(&worker),
                Some(&operator(100, true)),
                &terms(None),
                LEAST,
            )
            .unwrap()
        };
        let other_key = Worker {
            heartbeat_key: [2; 32],
            ..worker()
        };
        assert_eq!(step(other_key), Some(Step::ChangeKey));
        let other_machine = Worker {
            capabilities: capabilities(2),
            ..worker()
        };
        assert_eq!(step(other_machine), Some(Step::Update));
        let mut away = worker();
        away.presence.inactive_since = Some(5);
        assert_eq!(step(away), Some(Step::Reactivate));
        assert_eq!(step(worker()), None);
    }

    #[test]
    fn nobody_works_without_a_stake_and_is_told_so() {
        for operator in [None, Some(operator(99, true)), Some(operator(100, false))] {
            let unfit = missing(Some(&worker()), operator.as_ref(), &terms(None), LEAST);
            assert!(unfit.unwrap_err().to_string().contains("--stake"));
        }
    }

    #[test]
    fn the_memory_is_read_in_mib() {
        assert_eq!(
            total_mib("MemFree: 1 kB\nMemTotal:   2097152 kB\n"),
            Some(2048)
        );
        assert_eq!(total_mib("MemTotal: x kB"), None);
        assert_eq!(total_mib(""), None);
    }
}
