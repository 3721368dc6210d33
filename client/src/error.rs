//! What can go wrong between here and a chain.

use subxt::error::{DispatchError, TransactionEventsError};

/// What went wrong, in words that say what to do where that is known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No node answers.
    #[error("no node answers at {url} ({reason}): start one, or name another with --node")]
    Unreachable {
        /// Address that was tried.
        url: String,
        /// What the transport says.
        reason: String,
    },
    /// The node serves another kind of chain.
    #[error(
        "{url} serves the chain \"{chain}\", whose runtime has no pallet {pallet}: it is not a Ciro chain"
    )]
    NotCiro {
        /// Address of the node.
        url: String,
        /// Name of its chain.
        chain: String,
        /// Pallet that is missing.
        pallet: &'static str,
    },
    /// The secret does not give a key.
    #[error("cannot make a signing key: {0}")]
    Key(String),
    /// The chain took the transaction and refused the call.
    #[error("{name}: {docs}")]
    Dispatch {
        /// `Pallet.Error`, or the kind of error if no pallet raised it.
        name: String,
        /// What the runtime's metadata says about it.
        docs: String,
    },
    /// The transaction pool refused the transaction, or it died there.
    #[error("the transaction was not accepted: {0}")]
    Rejected(String),
    /// The transaction is in no block although it should be.
    #[error("the transaction was in no {0} block after {1} seconds: the chain may be stalled")]
    Stalled(&'static str, u64),
    /// The node has not got what it was asked for.
    #[error("the node has not got {0}")]
    Unavailable(String),
    /// What the node says of the bridge cannot be what contracts take.
    #[error("{0}")]
    Bridge(#[from] ciro_bridge_prover::Error),
    /// Anything else that the node or the connection did.
    #[error("{}", chain_of(.0.as_ref()))]
    Chain(Box<subxt::Error>),
}

impl Error {
    pub(crate) fn chain(error: impl Into<subxt::Error>) -> Self {
        Self::Chain(Box::new(error.into()))
    }

    /// Error of a transaction that was in a block.
    pub(crate) fn in_block(error: TransactionEventsError) -> Self {
        match error {
            TransactionEventsError::ExtrinsicFailed(error) => Self::dispatch(error),
            error => Self::chain(error),
        }
    }

    fn dispatch(error: DispatchError) -> Self {
        if let DispatchError::Module(module) = &error {
            if let Ok(details) = module.details() {
                return Self::Dispatch {
                    name: format!("{}.{}", details.pallet.name(), details.variant.name),
                    docs: details.variant.docs.join(" ").trim().to_owned(),
                };
            }
        }
        let name = match &error {
            DispatchError::Token(_) => "Token",
            DispatchError::Arithmetic(_) => "Arithmetic",
            DispatchError::BadOrigin => "BadOrigin",
            _ => "Dispatch",
        };
        Self::Dispatch {
            name: name.to_owned(),
            docs: error.to_string(),
        }
    }

    /// Error of handing a transaction to the pool: its own words, without the layers around them.
    pub(crate) fn submission(error: subxt::error::ExtrinsicError) -> Self {
        use subxt::error::{BackendError, ExtrinsicError, RpcError};
        match error {
            ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(
                RpcError::ClientError(subxt::rpcs::Error::User(user)),
            )) => Self::Rejected(match user.data {
                Some(data) => format!("{}: {}", user.message, data.get().trim_matches('"')),
                None => user.message,
            }),
            error => Self::chain(error),
        }
    }
}

/// The error and its causes, each once.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}
