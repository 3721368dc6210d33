//! Signed transactions and what becomes of them.

use crate::{
    account, calls::Call, events::Event, AccountId, Client, Error, Hash, Keypair, Result, State,
};
use codec::{Decode, Encode};
use scale_encode::EncodeAsFields;
use std::time::Duration;
use subxt::{
    client::OnlineClientAtBlockImpl,
    config::DefaultExtrinsicParamsBuilder,
    transactions::{TransactionInBlock, TransactionProgress, TransactionStatus},
    utils::MultiSignature,
    SubstrateConfig,
};

/// Blocks, from the finalised head at signing, in which a transaction may be included.
pub const MORTALITY: u64 = 64;

/// How long [`Client::execute`] waits before it reports a stalled chain: more than any healthy chain needs to include
/// and finalise a transaction within its mortality.
const PATIENCE: Duration = Duration::from_secs(300);

/// When a transaction counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// In a best block: fast, but a reorganisation can undo it.
    Block,
    /// In a finalised block.
    Finalised,
}

impl Wait {
    fn name(self) -> &'static str {
        match self {
            Self::Block => "best",
            Self::Finalised => "finalised",
        }
    }
}

/// A transaction as it was signed. Sending the same one again is harmless: its nonce lets it in once at most.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedTransaction {
    /// Nonce of its account.
    pub nonce: u64,
    /// Finalised block at which it was signed.
    pub birth: u64,
    /// Hash of that block.
    pub birth_hash: [u8; 32],
    /// First block in which it is not valid any more.
    pub death: u64,
    /// The extrinsic.
    pub bytes: Vec<u8>,
}

/// What can still become of a signed transaction, by a finalised state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It may yet be included.
    Open,
    /// Its nonce is used: it was included, or another transaction of the account was in its place.
    Used,
    /// It can never be included: it died of age, or the chain that it was signed for is gone.
    Dead,
}

impl SignedTransaction {
    /// What can still become of it after this finalised state.
    pub async fn fate(&self, finalised: &State, account: &AccountId) -> Result<Fate> {
        let number = finalised.number();
        if finalised.nonce(account).await? > self.nonce {
            return Ok(Fate::Used);
        }
        if !(self.birth..self.death).contains(&number) {
            return Ok(Fate::Dead);
        }
        // It was signed at a finalised block, so on its own chain that block stays.
        let birth = finalised.hash_of(self.birth).await?;
        Ok(if birth == Some(self.birth_hash.into()) {
            Fate::Open
        } else {
            Fate::Dead
        })
    }
}

/// A transaction in a block in which its call succeeded.
#[derive(Clone, Debug)]
pub struct Included {
    /// The block.
    pub block: Hash,
    /// The transaction.
    pub transaction: Hash,
    /// What the call reported, of Ciro's own pallets.
    pub events: Vec<Event>,
}

type Inner = OnlineClientAtBlockImpl<SubstrateConfig>;

/// A transaction on its way.
pub struct Progress(TransactionProgress<SubstrateConfig, Inner>);

impl Progress {
    /// Waits until the transaction is done; an error if its call failed there or the pool gave it up.
    pub async fn wait(mut self, wait: Wait) -> Result<Included> {
        while let Some(status) = self.0.next().await {
            match status.map_err(Error::chain)? {
                TransactionStatus::InBestBlock(block) if wait == Wait::Block => {
                    return included(block).await;
                }
                TransactionStatus::InFinalizedBlock(block) => return included(block).await,
                TransactionStatus::Error { message }
                | TransactionStatus::Invalid { message }
                | TransactionStatus::Dropped { message } => return Err(Error::Rejected(message)),
                _ => {}
            }
        }
        Err(Error::Rejected(
            "the node stopped reporting on it: look at the chain before you send it again".into(),
        ))
    }
}

async fn included(block: TransactionInBlock<SubstrateConfig, Inner>) -> Result<Included> {
    let events = block.wait_for_success().await.map_err(Error::in_block)?;
    Ok(Included {
        block: block.block_hash(),
        transaction: block.extrinsic_hash(),
        events: events
            .iter()
            .filter_map(|event| {
                event
                    .map_err(Error::chain)
                    .and_then(|event| Event::read(&event))
                    .transpose()
            })
            .collect::<Result<_>>()?,
    })
}

impl Client {
    /// Signs a call for inclusion in the next [`MORTALITY`] blocks, with the account's first nonce that neither the
    /// chain nor the node's pool has seen.
    pub async fn sign<Arguments: EncodeAsFields>(
        &self,
        call: &Call<Arguments>,
        signer: &Keypair,
    ) -> Result<SignedTransaction> {
        let birth = self.finalised().await?;
        let nonce = self.next_nonce(&account(signer)).await?;
        let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
            .mortal_from_unchecked(MORTALITY, birth.number(), birth.hash())
            .nonce(nonce)
            .build();
        let signed = birth
            .at()
            .transactions()
            .create_signable_offline(call, params)
            .map_err(Error::chain)?
            .sign(signer)
            .map_err(Error::chain)?;
        Ok(SignedTransaction {
            nonce,
            birth: birth.number(),
            birth_hash: birth.hash().0,
            death: birth.number() + MORTALITY,
            bytes: signed.into_encoded(),
        })
    }

    /// Hands a call that nobody signs, because it carries its own authority, to the node's pool.
    pub async fn submit_authorised<Arguments: EncodeAsFields>(
        &self,
        call: &Call<Arguments>,
    ) -> Result<Progress> {
        let at = self.finalised().await?;
        // The chain's transactions of version 5 have no place for a signature: what stands for one here is not encoded.
        let (nobody, nothing) = (AccountId([0; 32]), MultiSignature::Sr25519([0; 64]));
        let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
            .immortal()
            .build();
        let progress = at
            .at()
            .transactions()
            .create_v5_signable_offline(call, params)
            .and_then(|mut signable| signable.sign_with_account_and_signature(&nobody, &nothing))
            .map_err(Error::chain)?
            .submit_and_watch()
            .await
            .map_err(Error::submission)?;
        Ok(Progress(progress))
    }

    /// Hands a transaction to the node's pool. An error means that the pool did not take it, for instance because it
    /// has it already or the chain does.
    pub async fn submit(&self, transaction: &SignedTransaction) -> Result<Progress> {
        let at = self.finalised().await?;
        let progress = at
            .at()
            .transactions()
            .from_bytes(transaction.bytes.clone())
            .submit_and_watch()
            .await
            .map_err(Error::submission)?;
        Ok(Progress(progress))
    }

    /// Signs a call, sends it and waits until it is done.
    pub async fn execute<Arguments: EncodeAsFields>(
        &self,
        call: &Call<Arguments>,
        signer: &Keypair,
        wait: Wait,
    ) -> Result<Included> {
        let transaction = self.sign(call, signer).await?;
        let progress = self.submit(&transaction).await?;
        tokio::time::timeout(PATIENCE, progress.wait(wait))
            .await
            .map_err(|_| Error::Stalled(wait.name(), PATIENCE.as_secs()))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_transactions_survive_a_journal() {
        let transaction = SignedTransaction {
            nonce: 3,
            birth: 100,
            birth_hash: [7; 32],
            death: 164,
            bytes: vec![1, 2, 3],
        };
        let bytes = transaction.encode();
        assert_eq!(
            SignedTransaction::decode(&mut &bytes[..]).unwrap(),
            transaction
        );
    }
}
