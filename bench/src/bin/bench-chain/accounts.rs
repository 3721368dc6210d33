//! Accounts that send transactions, and the connections over which they do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ciro_runtime::{
    AccountId, Hash, Nonce, Runtime, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic,
    VERSION,
};
use codec::Encode;
use sp_core::{sr25519, Pair};
use sp_runtime::generic::Era;
use tokio::sync::mpsc::{unbounded_channel, UnboundedSender};

use crate::chain::Chain;

/// How long transactions may be in no block before they are sent again: a node may drop them from its pool.
const PATIENCE: Duration = Duration::from_secs(20);

/// A transaction that is in no best block yet.
struct Pending {
    nonce: Nonce,
    bytes: Vec<u8>,
    results: u32,
}

/// A transaction on its way to the node.
struct Handed {
    bytes: Vec<u8>,
    again: bool,
}

/// An account with a connection of its own to a node.
pub struct Account {
    pair: sr25519::Pair,
    id: AccountId,
    genesis: Hash,
    next: Nonce,
    pending: VecDeque<Pending>,
    progress: Instant,
    out: UnboundedSender<Handed>,
    refused: Arc<AtomicU32>,
}

/// The account of a well-known secret, `//Alice` say.
pub fn pair(secret: &str) -> Result<sr25519::Pair> {
    sr25519::Pair::from_string(secret, None).with_context(|| format!("{secret} is no secret"))
}

impl Account {
    /// An account that has sent nothing yet.
    pub fn new(secret: &str, genesis: Hash, chain: Chain) -> Result<Self> {
        let pair = pair(secret)?;
        let (out, mut transactions) = unbounded_channel::<Handed>();
        let refused = Arc::new(AtomicU32::new(0));
        let count = refused.clone();
        tokio::spawn(async move {
            while let Some(transaction) = transactions.recv().await {
                let taken = chain.submit(&transaction.bytes).await;
                // A pool refuses what it has already.
                if taken.is_err() && !transaction.again {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Ok(Self {
            id: pair.public().into(),
            pair,
            genesis,
            next: 0,
            pending: VecDeque::new(),
            progress: Instant::now(),
            out,
            refused,
        })
    }

    /// Its address.
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// Signs a call, which brings so many results, and sends it after those before it. The nonce that it has.
    pub fn send(&mut self, call: impl Into<RuntimeCall>, results: u32) -> Nonce {
        let nonce = self.next;
        let bytes = sign(call.into(), &self.pair, nonce, self.genesis);
        if self.pending.is_empty() {
            self.progress = Instant::now();
        }
        self.next += 1;
        self.hand_over(bytes.clone(), false);
        self.pending.push_back(Pending {
            nonce,
            bytes,
            results,
        });
        nonce
    }

    fn hand_over(&self, bytes: Vec<u8>, again: bool) {
        // The connection's task ends with this value only.
        let _ = self.out.send(Handed { bytes, again });
    }

    /// Takes note of what the chain has of its transactions. If that has not changed for long, all are sent again.
    pub fn included(&mut self, nonce: Nonce) {
        while self
            .pending
            .front()
            .is_some_and(|first| first.nonce < nonce)
        {
            self.pending.pop_front();
            self.progress = Instant::now();
        }
        if !self.pending.is_empty() && self.progress.elapsed() > PATIENCE {
            self.progress = Instant::now();
            let again = self.pending.iter().map(|pending| pending.bytes.clone());
            again.for_each(|bytes| self.hand_over(bytes, true));
        }
    }

    /// Results that it has sent and that are in no best block yet.
    pub fn results_on_the_way(&self) -> u32 {
        self.pending.iter().map(|pending| pending.results).sum()
    }

    /// Transactions that its node's pool did not take at first.
    pub fn refused(&self) -> u32 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// A transaction that is valid for ever.
pub fn sign(call: RuntimeCall, pair: &sr25519::Pair, nonce: Nonce, genesis: Hash) -> Vec<u8> {
    let extension: TxExtension = (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        frame_metadata_hash_extension::CheckMetadataHash::<Runtime>::new(false),
        frame_system::WeightReclaim::new(),
    );
    let implied = (
        (),
        (),
        VERSION.spec_version,
        VERSION.transaction_version,
        genesis,
        genesis,
        (),
        (),
        (),
        None,
        (),
    );
    let payload = SignedPayload::from_raw(call, extension, implied);
    let signature = payload.using_encoded(|bytes| pair.sign(bytes));
    let (call, extension, _) = payload.deconstruct();
    let signer = AccountId::from(pair.public()).into();
    UncheckedExtrinsic::new_signed(call, signer, signature.into(), extension).encode()
}
