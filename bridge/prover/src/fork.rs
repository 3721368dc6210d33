//! Validators who signed a root that is not the chain's.

use crate::{address, AuthorityId, BeefySignature};
use ciro_bridge_primitives::{Commitment, Hash, Signature, Update};
use ciro_bridge_verifier::recover;

/// A vote for another root than the chain's: with an ancestry proof it is evidence for `Beefy::report_fork_voting`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkVote {
    /// What was signed.
    pub commitment: Commitment,
    /// Who signed it.
    pub authority: AuthorityId,
    /// Its signature.
    pub signature: BeefySignature,
}

impl ForkVote {
    /// The vote in SCALE, as evidence holds it: commitment, authority, signature.
    pub fn encode(&self) -> Vec<u8> {
        [
            self.commitment.encode().as_slice(),
            &self.authority,
            &self.signature,
        ]
        .concat()
    }
}

/// The votes of `update` by validators of its set, `authorities`, if its root is not `root`, that of the own chain at its
/// block. Signatures that are nobody's are passed over: they harm nobody.
pub fn fork_votes(update: &Update, authorities: &[AuthorityId], root: &Hash) -> Vec<ForkVote> {
    if update.commitment.root == *root {
        return Vec::new();
    }
    let hash = update.commitment.hash();
    update
        .signatures
        .iter()
        .filter_map(|signature| {
            let signer = recover(&hash, signature).ok()?;
            let is_signer = |authority: &&AuthorityId| address(authority) == Some(signer);
            Some(ForkVote {
                commitment: update.commitment,
                authority: *authorities.iter().find(is_signer)?,
                signature: encoded(signature),
            })
        })
        .collect()
}

/// The signature as BEEFY makes it.
fn encoded(signature: &Signature) -> BeefySignature {
    let mut bytes = [0; 65];
    let parts = signature.r.iter().chain(&signature.s);
    let parts = parts.copied().chain([signature.parity.into()]);
    bytes
        .iter_mut()
        .zip(parts)
        .for_each(|(to, from)| *to = from);
    bytes
}
