//! The node's command line.

use sc_cli::{
    BuildSpecCmd, ChainInfoCmd, CheckBlockCmd, ExportBlocksCmd, ExportChainSpecCmd, ExportStateCmd,
    ImportBlocksCmd, KeySubcommand, PurgeChainCmd, RevertCmd, RunCmd,
};

/// Runs a node of the Ciro chain, or one of the commands below.
#[derive(Debug, clap::Parser)]
pub struct Cli {
    /// What to do instead of running a node.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// How to run a node.
    #[clap(flatten)]
    pub run: RunCmd,
}

/// What the node does besides running.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Make, show and insert keys.
    #[command(subcommand)]
    Key(KeySubcommand),

    /// Write a chain specification, with its genesis state.
    ExportChainSpec(ExportChainSpecCmd),

    /// Write a chain specification with this node as its boot node.
    BuildSpec(BuildSpecCmd),

    /// Execute a block of the database again.
    CheckBlock(CheckBlockCmd),

    /// Write blocks of the database to a file.
    ExportBlocks(ExportBlocksCmd),

    /// Write the state at a block as a chain specification.
    ExportState(ExportStateCmd),

    /// Import blocks from a file.
    ImportBlocks(ImportBlocksCmd),

    /// Remove the whole chain from the database.
    PurgeChain(PurgeChainCmd),

    /// Take back the last blocks that are not final.
    Revert(RevertCmd),

    /// Show the head of the chain in the database.
    ChainInfo(ChainInfoCmd),
}
