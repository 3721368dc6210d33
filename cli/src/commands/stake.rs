//! `ciro stake`.

use super::{parse_account, Node, Sender, Signer};
use crate::{
    amount::Amount,
    output::{fields, Output, Report},
};
use anyhow::{bail, ensure, Result};
use ciro_client::{
    calls::{self, Call, EncodeAsFields},
    types::Position,
    AccountId,
};
use clap::{Args, Subcommand};
use serde_json::json;

/// Billionths in a hundredth: a commission is given in percent and sent in billionths.
const PER_PERCENT: f64 = 1e7;

/// Commands about stake. Stake stays on hold in the account that owns it and answers for the operator's offences.
#[derive(Subcommand)]
pub enum Stake {
    /// Put CIRO on hold as stake. For oneself, that makes the account an operator.
    Add(Change),
    /// Begin to take stake back. It stays on hold for the unbonding period.
    Remove(Change),
    /// Release what has been unbonded.
    Withdraw(Target),
    /// Have earned rewards paid.
    Claim(Target),
    /// Say what the own stake stands for.
    Roles {
        /// Take jobs.
        #[arg(long)]
        worker: bool,
        /// Be a candidate for the validators.
        #[arg(long)]
        validator: bool,
        #[command(flatten)]
        sender: Sender,
    },
    /// Set the share of rewards that the operator keeps before they are shared. A rise holds after the unbonding period.
    Commission {
        /// The share.
        #[arg(value_name = "PERCENT")]
        percent: f64,
        #[command(flatten)]
        sender: Sender,
    },
    /// An operator, and what an account has staked for it.
    Show {
        /// The operator; the signer if it is left out.
        #[arg(value_parser = parse_account)]
        operator: Option<AccountId>,
        /// Whose stake to show; the signer's if it is left out.
        #[arg(long, value_parser = parse_account, value_name = "ADDRESS")]
        staker: Option<AccountId>,
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        signer: Signer,
    },
}

/// An amount, for an operator.
#[derive(Args)]
pub struct Change {
    /// How much.
    #[arg(value_name = "CIRO")]
    amount: Amount,
    #[command(flatten)]
    target: Target,
}

/// Which operator, and who acts.
#[derive(Args)]
pub struct Target {
    /// The operator; the signer itself if it is left out.
    #[arg(long = "for", value_parser = parse_account, value_name = "OPERATOR")]
    operator: Option<AccountId>,
    #[command(flatten)]
    sender: Sender,
}

impl Target {
    fn operator(&self) -> Result<AccountId> {
        self.operator
            .map_or_else(|| self.sender.signer.account(), Ok)
    }
}

impl Stake {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        match self {
            Self::Add(Change { amount, target }) => {
                let done = format!("{amount} CIRO staked for {}", target.operator()?);
                match target.operator {
                    None => send(&target.sender, calls::stake(amount.0), done, output).await,
                    Some(operator) => {
                        let call = calls::stake_for_worker(operator, amount.0);
                        send(&target.sender, call, done, output).await
                    }
                }
            }
            Self::Remove(Change { amount, target }) => {
                let operator = target.operator()?;
                let done = format!("{amount} CIRO are being unbonded from {operator}");
                send(
                    &target.sender,
                    calls::unstake(operator, amount.0),
                    done,
                    output,
                )
                .await
            }
            Self::Withdraw(target) => {
                let operator = target.operator()?;
                let done = format!("what was unbonded from {operator} is free");
                let call = calls::withdraw_unbonded(operator);
                send(&target.sender, call, done, output).await
            }
            Self::Claim(target) => {
                let operator = target.operator()?;
                let done = format!("the rewards earned with {operator} are paid");
                send(&target.sender, calls::claim_rewards(operator), done, output).await
            }
            Self::Roles {
                worker,
                validator,
                sender,
            } => {
                let done = match (worker, validator) {
                    (false, false) => "the stake stands for no role",
                    (true, false) => "the stake stands for a worker",
                    (false, true) => "the stake stands for a validator",
                    (true, true) => "the stake stands for a worker and a validator",
                };
                send(
                    &sender,
                    calls::set_roles(worker, validator),
                    done.into(),
                    output,
                )
                .await
            }
            Self::Commission { percent, sender } => {
                ensure!(
                    (0.0..=100.0).contains(&percent),
                    "{percent} is not a share in percent: give 0 to 100"
                );
                let done = format!("the commission is {percent} %");
                let call = calls::set_commission((percent * PER_PERCENT).round() as u32);
                send(&sender, call, done, output).await
            }
            Self::Show {
                operator,
                staker,
                node,
                signer,
            } => show(operator, staker, node, signer, output).await,
        }
    }
}

/// Sends a call and reports that it is done.
async fn send<A: EncodeAsFields>(
    sender: &Sender,
    call: Call<A>,
    done: String,
    output: Output,
) -> Result<Report> {
    let included = sender.send(&call, output).await?;
    let block = super::hex(&included.block.0);
    Ok(Report::yes(
        done.clone(),
        json!({ "done": done, "block": block }),
    ))
}

async fn show(
    operator: Option<AccountId>,
    staker: Option<AccountId>,
    node: Node,
    signer: Signer,
    output: Output,
) -> Result<Report> {
    let operator = operator.map_or_else(|| signer.account(), Ok)?;
    let staker = match staker {
        Some(staker) => staker,
        None => signer.account().unwrap_or(operator),
    };
    let step = output.progress("reading the chain");
    let state = node.connect().await?.finalised().await?;
    let Some(record) = state.operator(&operator).await? else {
        bail!("{operator} is no operator: `ciro stake add` makes the signer one");
    };
    let position = state.position(&operator, &staker).await?;
    let rewards = Amount(state.pending_rewards(&operator, &staker).await?);
    let period = state.unbonding_period()?;
    drop(step);
    let roles: Vec<&str> = [
        ("worker", record.roles.worker),
        ("validator", record.roles.validator),
    ]
    .into_iter()
    .filter_map(|(role, has)| has.then_some(role))
    .collect();
    let mut rows = vec![
        ("operator", operator.to_string()),
        (
            "roles",
            if roles.is_empty() {
                "none".into()
            } else {
                roles.join(", ")
            },
        ),
        (
            "stake",
            format!(
                "{} CIRO of {} accounts",
                Amount(record.total),
                record.positions
            ),
        ),
        ("own stake", format!("{} CIRO", Amount(record.own))),
        ("for jobs", format!("{} CIRO", Amount(record.reserved))),
        ("staker", staker.to_string()),
    ];
    let Position { active, unbonding } = position.unwrap_or(Position {
        active: 0,
        unbonding: vec![],
    });
    rows.push(("active", format!("{} CIRO", Amount(active))));
    rows.extend(unbonding.iter().map(|chunk| {
        let ripe = chunk.since.saturating_add(period);
        (
            "unbonding",
            format!("{} CIRO until block {ripe}", Amount(chunk.amount)),
        )
    }));
    rows.push(("rewards", format!("{rewards} CIRO")));
    Ok(Report::yes(
        fields(&rows),
        json!({
            "operator": operator.to_string(),
            "block": state.number(),
            "roles": roles,
            "stake": Amount(record.total),
            "positions": record.positions,
            "own_stake": Amount(record.own),
            "reserved": Amount(record.reserved),
            "staker": staker.to_string(),
            "active": Amount(active),
            "unbonding": unbonding
                .iter()
                .map(|chunk| json!({
                    "amount": Amount(chunk.amount),
                    "until": chunk.since.saturating_add(period),
                }))
                .collect::<Vec<_>>(),
            "rewards": rewards,
        }),
    ))
}
