//! The source of randomness that `getrandom` 0.2 wants on this target.
//!
//! The proof verifier links it without ever drawing from it; a runtime has no entropy, so a draw is an error.

fn no_entropy(_: &mut [u8]) -> Result<(), getrandom_02::Error> {
    Err(getrandom_02::Error::UNSUPPORTED)
}

getrandom_02::register_custom_getrandom!(no_entropy);
