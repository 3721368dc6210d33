//! `ciro slash`.

use super::{bridge::queued, parse_account, parse_hash, send, Node, Sender};
use crate::output::{fields, table, Output, Report};
use anyhow::{Context, Result};
use ciro_bridge_primitives::LaneId;
use ciro_client::{
    calls,
    types::{Case, CaseId, CaseStatus},
    AccountId, Amount,
};
use clap::Subcommand;
use serde_json::{json, Value};

/// Billionths in a hundredth.
const PER_PERCENT: f64 = 1e7;

/// Commands about offences and what they cost.
#[derive(Subcommand)]
pub enum Slash {
    /// List the cases against operators.
    List {
        /// Only those against this one.
        #[arg(long, value_parser = parse_account, value_name = "ADDRESS")]
        account: Option<AccountId>,
        #[command(flatten)]
        node: Node,
    },
    /// What a case is about and how far it has come.
    Show {
        /// The case.
        case: CaseId,
        #[command(flatten)]
        node: Node,
    },
    /// Report an operator that has been silent for six hours, for a share of what that will cost it.
    ReportDowntime {
        /// The operator.
        #[arg(value_parser = parse_account)]
        operator: AccountId,
        #[command(flatten)]
        sender: Sender,
    },
    /// Execute a case that is due; anybody may.
    Execute {
        /// The case.
        case: CaseId,
        #[command(flatten)]
        sender: Sender,
    },
    /// Tell the CDCPool on another chain of an executed case, so that it takes the same share there; anybody may, once.
    Send {
        /// The case.
        case: CaseId,
        /// The lane of the pool.
        #[arg(value_parser = parse_hash, value_name = "LANE")]
        lane: [u8; 32],
        #[command(flatten)]
        sender: Sender,
    },
}

impl Slash {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        match self {
            Self::List { account, node } => list(account, &node).await,
            Self::Show { case, node } => show(case, &node).await,
            Self::ReportDowntime { operator, sender } => {
                let done = format!("the downtime of {operator} is reported");
                send(&sender, calls::report_downtime(operator), done, output).await
            }
            Self::Execute { case, sender } => {
                let done = format!("case {case} is executed");
                send(&sender, calls::execute_case(case), done, output).await
            }
            Self::Send { case, lane, sender } => {
                let included = sender.send(&calls::send_slash(lane, case), output).await?;
                queued(&included, LaneId(lane), &format!("case {case} leaves"))
            }
        }
    }
}

async fn list(account: Option<AccountId>, node: &Node) -> Result<Report> {
    let state = node.connect().await?.finalised().await?;
    let mut cases = state.cases().await?;
    cases.retain(|case| account.is_none_or(|account| account == case.offender));
    let head = ["case", "offence", "status", "share", "due", "offender"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(cases.iter().map(|case| {
        vec![
            case.id.to_string(),
            case.kind.name().to_owned(),
            case.status.name().to_owned(),
            share(case),
            case.due.to_string(),
            case.offender.to_string(),
        ]
    }));
    let text = if cases.is_empty() {
        "no cases".into()
    } else {
        table(&rows)
    };
    let described: Vec<Value> = cases.iter().map(describe).collect();
    Ok(Report::yes(
        text,
        json!({ "block": state.number(), "cases": described }),
    ))
}

async fn show(id: CaseId, node: &Node) -> Result<Report> {
    let state = node.connect().await?.finalised().await?;
    let case = state
        .case(id)
        .await?
        .with_context(|| format!("there is no case {id}"))?;
    let mut rows = vec![
        ("case", id.to_string()),
        ("against", case.offender.to_string()),
        (
            "offence",
            format!("{} in block {}", case.kind.name(), case.at),
        ),
        ("status", case.status.name().to_owned()),
        ("takes", format!("{} of the stake", share(&case))),
        ("opened", format!("block {}", case.opened)),
        (
            "due",
            format!("block {}, now at {}", case.due, state.number()),
        ),
        ("suspended", format!("until block {}", case.until)),
    ];
    if let CaseStatus::Applied { taken } = case.status {
        rows.push(("taken", format!("{} CIRO", Amount(taken))));
    }
    Ok(Report::yes(fields(&rows), describe(&case)))
}

fn share(case: &Case) -> String {
    format!("{} %", f64::from(case.fraction) / PER_PERCENT)
}

fn describe(case: &Case) -> Value {
    let taken = match case.status {
        CaseStatus::Applied { taken } => json!(Amount(taken)),
        _ => Value::Null,
    };
    json!({
        "case": case.id,
        "offender": case.offender.to_string(),
        "offence": case.kind.name(),
        "status": case.status.name(),
        "percent": f64::from(case.fraction) / PER_PERCENT,
        "at": case.at,
        "opened": case.opened,
        "due": case.due,
        "suspended_until": case.until,
        "taken": taken,
    })
}
