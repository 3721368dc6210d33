//! `ciro account`.

use super::{parse_account, Node, Signer};
use crate::output::{fields, Output, Report};
use anyhow::Result;
use ciro_client::{AccountId, Amount};
use clap::Subcommand;
use serde_json::{json, Map};

/// Commands about accounts.
#[derive(Subcommand)]
pub enum Account {
    /// What an account has, and what of it is on hold and why.
    Balance {
        /// Whose; the signer's if it is left out.
        #[arg(value_parser = parse_account)]
        account: Option<AccountId>,
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        signer: Signer,
    },
}

impl Account {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        let Self::Balance {
            account,
            node,
            signer,
        } = self;
        let account = match account {
            Some(account) => account,
            None => signer.account()?,
        };
        let step = output.progress("reading the chain");
        let state = node.connect().await?.finalised().await?;
        let balances = state.balances(&account).await?;
        drop(step);
        let mut rows = vec![
            ("account", account.to_string()),
            ("free", format!("{} CIRO", Amount(balances.free))),
            ("on hold", format!("{} CIRO", Amount(balances.reserved))),
        ];
        let holds: Vec<(String, Amount)> = balances
            .holds
            .into_iter()
            .map(|(reason, amount)| (reason, Amount(amount)))
            .collect();
        rows.extend(
            holds
                .iter()
                .map(|(reason, amount)| ("", format!("{amount} CIRO  {reason}"))),
        );
        if balances.frozen > 0 {
            rows.push(("frozen", format!("{} CIRO", Amount(balances.frozen))));
        }
        Ok(Report::yes(
            fields(&rows),
            json!({
                "account": account.to_string(),
                "block": state.number(),
                "free": Amount(balances.free),
                "on_hold": Amount(balances.reserved),
                "frozen": Amount(balances.frozen),
                "holds": holds.iter().map(|(reason, amount)| (reason.clone(), json!(amount))).collect::<Map<_, _>>(),
            }),
        ))
    }
}
