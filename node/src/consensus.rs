//! The tasks of consensus: making blocks, finding the other validators, and voting.

use crate::service::{inherents_now, Backend, BlockImport, Client, SelectChain, TransactionPool};
use ciro_runtime::opaque::Block;
use futures::StreamExt;
use sc_consensus_babe::{BabeLink, BabeParams, SlotProportion};
use sc_consensus_beefy::{
    communication::request_response::BeefyJustifsRequestHandler, BeefyNetworkParams, BeefyParams,
    BeefyVoterLinks,
};
use sc_consensus_grandpa::{GrandpaParams, LinkHalf, SharedVoterState, VotingRulesBuilder};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{
    service::traits::NetworkService, types::ProtocolName, Event, Multiaddr, NotificationService,
};
use sc_network_sync::SyncingService;
use sc_service::{config::Role, Configuration, Error, TaskManager};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_beefy::{ecdsa_crypto::AuthorityId as BeefyId, mmr::MmrRootProvider};
use sp_keystore::KeystorePtr;
use std::{marker::PhantomData, path::PathBuf, sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

/// Blocks between two GRANDPA justifications that are kept, if no validator set changes.
pub const JUSTIFICATION_PERIOD: u32 = 512;
/// Least number of blocks between two BEEFY votes.
const BEEFY_DELTA: u32 = 4;
/// How long a GRANDPA message is expected to take to all voters.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);
/// Part of a slot in which a block is filled; the rest is for the others to import it.
const PROPOSAL_PORTION: f32 = 0.5;

/// What the operator has set for consensus.
pub struct Settings {
    name: String,
    force_authoring: bool,
    /// Whether to vote in GRANDPA.
    pub grandpa: bool,
    publish_local_addresses: bool,
    public_addresses: Vec<Multiaddr>,
    network_path: Option<PathBuf>,
}

impl Settings {
    /// Takes the settings from the whole configuration.
    pub fn new(config: &Configuration) -> Self {
        Self {
            name: config.network.node_name.clone(),
            force_authoring: config.force_authoring,
            grandpa: !config.disable_grandpa,
            publish_local_addresses: config.network.allow_non_globals_in_dht,
            public_addresses: config.network.public_addresses.clone(),
            network_path: config.network.net_config_path.clone(),
        }
    }
}

/// The parts of the node that consensus works with.
pub struct Node {
    /// The chain.
    pub client: Arc<Client>,
    /// Where the chain is stored.
    pub backend: Arc<Backend>,
    /// The fork choice.
    pub select_chain: SelectChain,
    /// Transactions that wait for a block.
    pub transaction_pool: Arc<TransactionPool>,
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// Synchronisation of the chain.
    pub sync: Arc<SyncingService<Block>>,
    /// The validator's keys.
    pub keystore: KeystorePtr,
    /// Where metrics go.
    pub prometheus: Option<Registry>,
    /// Where reports go.
    pub telemetry: Option<TelemetryHandle>,
    /// Whether the node is a validator.
    pub role: Role,
    /// State of the GRANDPA vote, as RPC shows it.
    pub grandpa_state: SharedVoterState,
}

impl Node {
    /// Makes blocks in the validator's slots.
    pub fn spawn_authoring(
        &self,
        tasks: &TaskManager,
        settings: &Settings,
        block_import: BlockImport,
        babe_link: BabeLink<Block>,
    ) -> Result<(), Error> {
        let proposer = sc_basic_authorship::ProposerFactory::new(
            tasks.spawn_handle(),
            self.client.clone(),
            self.transaction_pool.clone(),
            self.prometheus.as_ref(),
            self.telemetry.clone(),
        );
        let slot_duration = babe_link.config().slot_duration();
        let babe = sc_consensus_babe::start_babe(BabeParams {
            keystore: self.keystore.clone(),
            client: self.client.clone(),
            select_chain: self.select_chain.clone(),
            env: proposer,
            block_import,
            sync_oracle: self.sync.clone(),
            justification_sync_link: self.sync.clone(),
            create_inherent_data_providers: move |_, ()| async move { Ok(inherents_now(slot_duration)) },
            force_authoring: settings.force_authoring,
            backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
            babe_link,
            block_proposal_slot_portion: SlotProportion::new(PROPOSAL_PORTION),
            max_block_proposal_slot_portion: None,
            telemetry: self.telemetry.clone(),
        })?;
        tasks.spawn_essential_handle().spawn_blocking(
            "babe-proposer",
            Some("block-authoring"),
            babe,
        );
        Ok(())
    }

    /// Publishes the validator's addresses under its key, and finds those of the others.
    pub fn spawn_authority_discovery(&self, tasks: &TaskManager, settings: &Settings) {
        let events =
            self.network
                .event_stream("authority-discovery")
                .filter_map(|event| async move {
                    match event {
                        Event::Dht(event) => Some(event),
                        _ => None,
                    }
                });
        let (worker, _) = sc_authority_discovery::new_worker_and_service_with_config(
            sc_authority_discovery::WorkerConfig {
                publish_non_global_ips: settings.publish_local_addresses,
                public_addresses: settings.public_addresses.clone(),
                persisted_cache_directory: settings.network_path.clone(),
                ..Default::default()
            },
            self.client.clone(),
            Arc::new(self.network.clone()),
            Box::pin(events),
            sc_authority_discovery::Role::PublishAndDiscover(self.keystore.clone()),
            self.prometheus.clone(),
            tasks.spawn_handle(),
        );
        tasks.spawn_handle().spawn(
            "authority-discovery-worker",
            Some("networking"),
            worker.run(),
        );
    }

    /// Follows the BEEFY vote, votes if the node is a validator, and keeps the MMR's nodes by their position.
    ///
    /// The node does not go on without either: other chains trust what BEEFY signs.
    pub fn spawn_beefy(
        &self,
        tasks: &TaskManager,
        links: BeefyVoterLinks<Block, BeefyId>,
        protocol: ProtocolName,
        notifications: Box<dyn NotificationService>,
        justifications: BeefyJustifsRequestHandler<Block, Client>,
    ) {
        let beefy = sc_consensus_beefy::start_beefy_gadget(BeefyParams {
            client: self.client.clone(),
            backend: self.backend.clone(),
            payload_provider: MmrRootProvider::new(self.client.clone()),
            runtime: self.client.clone(),
            key_store: self.voter_keystore(),
            network_params: BeefyNetworkParams {
                network: Arc::new(self.network.clone()),
                sync: self.sync.clone(),
                notification_service: notifications,
                gossip_protocol_name: protocol,
                justifications_protocol_name: justifications.protocol_name(),
                _phantom: PhantomData,
            },
            min_block_delta: BEEFY_DELTA,
            prometheus_registry: self.prometheus.clone(),
            links,
            on_demand_justifications_handler: justifications,
            is_authority: self.role.is_authority(),
        });
        let mmr = mmr_gadget::MmrGadget::start(
            self.client.clone(),
            self.backend.clone(),
            sp_mmr_primitives::INDEXING_PREFIX.to_vec(),
        );
        let essential = tasks.spawn_essential_handle();
        essential.spawn_blocking("beefy-gadget", None, beefy);
        essential.spawn_blocking("mmr-gadget", None, mmr);
    }

    /// Follows the GRANDPA vote, and votes if the node is a validator.
    pub fn spawn_grandpa(
        &self,
        tasks: &TaskManager,
        settings: &Settings,
        link: LinkHalf<Block, Client, SelectChain>,
        protocol: ProtocolName,
        notifications: Box<dyn NotificationService>,
    ) -> Result<(), Error> {
        let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration: GOSSIP_DURATION,
                justification_generation_period: JUSTIFICATION_PERIOD,
                name: Some(settings.name.clone()),
                observer_enabled: false,
                keystore: self.voter_keystore(),
                local_role: self.role,
                telemetry: self.telemetry.clone(),
                protocol_name: protocol,
            },
            link,
            network: self.network.clone(),
            sync: self.sync.clone(),
            notification_service: notifications,
            voting_rule: VotingRulesBuilder::default().build(),
            prometheus_registry: self.prometheus.clone(),
            shared_voter_state: self.grandpa_state.clone(),
            telemetry: self.telemetry.clone(),
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(
                self.transaction_pool.clone(),
            ),
        })?;
        tasks
            .spawn_essential_handle()
            .spawn_blocking("grandpa-voter", None, voter);
        Ok(())
    }

    /// The keys, if the node is to vote with them.
    fn voter_keystore(&self) -> Option<KeystorePtr> {
        self.role.is_authority().then(|| self.keystore.clone())
    }
}
