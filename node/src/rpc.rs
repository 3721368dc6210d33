//! The JSON-RPC methods of this chain, besides those that every node has.

use crate::{
    bridge::{BridgeServer, Index},
    service::{Backend, Client, SelectChain, TransactionPool},
};
use ciro_runtime::{opaque::Block, AccountId, Balance, BlockNumber, Hash, Nonce};
use jsonrpsee::RpcModule;
use sc_client_api::Backend as _;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_beefy::BeefyRPCLinks;
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_rpc::SubscriptionTaskExecutor;
use sc_service::ChainSpec;
use sp_consensus_beefy::{ecdsa_crypto::AuthorityId as BeefyId, MmrRootHash};
use sp_keystore::KeystorePtr;
use std::{error::Error, sync::Arc};

/// What the methods answer from.
pub struct Dependencies {
    /// The chain.
    pub client: Arc<Client>,
    /// Where the chain is stored.
    pub backend: Arc<Backend>,
    /// Transactions that wait for a block.
    pub pool: Arc<TransactionPool>,
    /// The fork choice.
    pub select_chain: SelectChain,
    /// The chain's specification.
    pub chain_spec: Box<dyn ChainSpec>,
    /// The node's keys.
    pub keystore: KeystorePtr,
    /// Block production.
    pub babe: BabeWorkerHandle<Block>,
    /// Finality.
    pub grandpa: Grandpa,
    /// Finality for other chains.
    pub beefy: BeefyRPCLinks<Block, BeefyId>,
}

/// What the methods know of GRANDPA.
pub struct Grandpa {
    /// The voters.
    pub authority_set: SharedAuthoritySet<Hash, BlockNumber>,
    /// The state of the vote.
    pub voter_state: SharedVoterState,
    /// Justifications as they are made.
    pub justifications: GrandpaJustificationStream<Block>,
    /// Proofs of finality of past blocks.
    pub proofs: Arc<FinalityProofProvider<Backend, Block>>,
}

/// All methods of this chain; subscriptions run on `executor`.
pub fn create(
    dependencies: Dependencies,
    executor: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, Box<dyn Error + Send + Sync>> {
    use mmr_rpc::{Mmr, MmrApiServer};
    use pallet_transaction_payment::RuntimeDispatchInfo;
    use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
    use sc_consensus_babe_rpc::{Babe, BabeApiServer};
    use sc_consensus_beefy_rpc::{Beefy, BeefyApiServer};
    use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
    use sc_rpc::dev::{Dev, DevApiServer};
    use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
    use substrate_frame_rpc_system::{System, SystemApiServer};

    let Dependencies {
        client,
        backend,
        pool,
        select_chain,
        chain_spec,
        keystore,
        babe,
        grandpa,
        beefy,
    } = dependencies;
    let offchain_storage = backend
        .offchain_storage()
        .ok_or("the database has no offchain storage")?;

    let mut module = RpcModule::new(());
    module.merge(SystemApiServer::<_, AccountId, Nonce>::into_rpc(
        System::new(client.clone(), pool),
    ))?;
    module.merge(
        TransactionPaymentApiServer::<_, RuntimeDispatchInfo<Balance>>::into_rpc(
            TransactionPayment::new(client.clone()),
        ),
    )?;
    module.merge(Babe::new(client.clone(), babe.clone(), keystore, select_chain).into_rpc())?;
    module.merge(
        Grandpa::new(
            executor.clone(),
            grandpa.authority_set.clone(),
            grandpa.voter_state,
            grandpa.justifications,
            grandpa.proofs,
        )
        .into_rpc(),
    )?;
    module.merge(
        Beefy::<Block, BeefyId>::new(
            beefy.from_voter_justif_stream,
            beefy.from_voter_best_beefy_stream,
            executor,
        )?
        .into_rpc(),
    )?;
    module.merge(MmrApiServer::<_, _, MmrRootHash>::into_rpc(Mmr::new(
        client.clone(),
        offchain_storage.clone(),
    )))?;
    module.merge(Index::new(offchain_storage).into_rpc())?;
    module.merge(
        SyncState::new(chain_spec, client.clone(), grandpa.authority_set, babe)?.into_rpc(),
    )?;
    module.merge(Dev::new(client).into_rpc())?;
    Ok(module)
}
