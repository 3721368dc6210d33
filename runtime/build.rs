//! Compiles the runtime to wasm, and hands the blob to the native crate.

fn main() {
    #[cfg(feature = "std")]
    {
        // The builder looks for the lock file above the target directory, which may be outside the workspace; without
        // it the blob would be made of other versions.
        const HINT: &str = "WASM_BUILD_WORKSPACE_HINT";
        if std::env::var_os(HINT).is_none() {
            std::env::set_var(HINT, concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        }
        substrate_wasm_builder::WasmBuilder::build_using_defaults();
    }
}
