//! Stands in for `wasm-opt`, whose C++ takes longer to compile than all else that builds the runtime.
//!
//! `substrate-wasm-builder` asks for two passes only. Stripping DWARF is leaving out custom sections. Lowering
//! sign-extension has nothing to do, as the target `wasm32v1-none` has no such instructions; a module that does declare
//! them is refused.

use std::{fs, io, path::Path};

/// The custom section in which the linker lists the instructions beyond the first version of WebAssembly.
const TARGET_FEATURES: &[u8] = b"target_features";
/// A feature that is used: `+`, the name's length, the name.
const SIGN_EXTENSION: &[u8] = b"+\x08sign-ext";
/// Magic number and version.
const HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// A pass over a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Removes the sections with debugging information.
    StripDwarf,
    /// Replaces sign-extension instructions.
    SignextLowering,
}

/// Which passes are to be run.
#[derive(Clone, Debug, Default)]
pub struct OptimizationOptions {
    passes: Vec<Pass>,
}

impl OptimizationOptions {
    /// No optimisation, and no pass yet.
    pub fn new_opt_level_0() -> Self {
        Self::default()
    }

    /// Has no effect: nothing is added to a module.
    pub fn mvp_features_only(&mut self) -> &mut Self {
        self
    }

    /// Has no effect: names and sections are kept unless a pass removes them.
    pub fn debug_info(&mut self, _: bool) -> &mut Self {
        self
    }

    /// Adds a pass.
    pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
        self.passes.push(pass);
        self
    }

    /// Reads a module, runs the passes, and writes it.
    ///
    /// # Errors
    /// A file cannot be read or written, is no module, or has instructions that a pass would have to replace.
    pub fn run(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
        let module = fs::read(from)?;
        fs::write(to, self.apply(&module)?)
    }

    fn apply(&self, module: &[u8]) -> io::Result<Vec<u8>> {
        let mut rest = module.strip_prefix(HEADER).ok_or_else(broken)?;
        let mut kept = HEADER.to_vec();
        while !rest.is_empty() {
            let section = Section::read(rest).ok_or_else(broken)?;
            let name = section.name.unwrap_or_default();
            let is_extended = name == TARGET_FEATURES
                && section
                    .bytes
                    .windows(SIGN_EXTENSION.len())
                    .any(|window| window == SIGN_EXTENSION);
            if is_extended && self.passes.contains(&Pass::SignextLowering) {
                return Err(io::Error::other(
                    "the module has sign-extension instructions: build it for wasm32v1-none",
                ));
            }
            if !(name.starts_with(b".debug_") && self.passes.contains(&Pass::StripDwarf)) {
                kept.extend_from_slice(section.bytes);
            }
            rest = &rest[section.bytes.len()..];
        }
        Ok(kept)
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a WebAssembly module")
}

/// A section of a module.
struct Section<'a> {
    /// All of it, from its kind on.
    bytes: &'a [u8],
    /// Its name, if it is a custom one.
    name: Option<&'a [u8]>,
}

impl<'a> Section<'a> {
    /// The section that a module goes on with.
    fn read(module: &'a [u8]) -> Option<Self> {
        let (kind, rest) = module.split_first()?;
        let (content, after) = sized(rest)?;
        let name = match kind {
            0 => Some(sized(content)?.0),
            _ => None,
        };
        Some(Self {
            bytes: &module[..module.len() - after.len()],
            name,
        })
    }
}

/// Bytes that follow their length, and what comes after them.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)? + 1;
    let length = bytes[..digits]
        .iter()
        .rev()
        .fold(0_u64, |length, byte| length << 7 | u64::from(byte & 0x7f));
    bytes[digits..].split_at_checked(usize::try_from(length).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = [content.len() as u8 | 0x80, 0];
        [&[kind][..], &length, content].concat()
    }

    fn custom(name: &[u8], content: &[u8]) -> Vec<u8> {
        section(0, &[&[name.len() as u8], name, content].concat())
    }

    fn compact(sections: &[Vec<u8>]) -> io::Result<Vec<u8>> {
        OptimizationOptions::new_opt_level_0()
            .add_pass(Pass::StripDwarf)
            .add_pass(Pass::SignextLowering)
            .apply(&[HEADER, &sections.concat()].concat())
    }

    #[test]
    fn only_debugging_sections_are_left_out() {
        let [types, debug, version] = [
            section(1, b"types"),
            custom(b".debug_info", b"dwarf"),
            custom(b"runtime_version", b".debug_info"),
        ];
        let kept = compact(&[types.clone(), debug, version.clone()]).unwrap();
        assert_eq!(kept, [HEADER, &types, &version].concat());
    }

    #[test]
    fn sign_extension_is_refused() {
        let features = |name: &[u8]| custom(TARGET_FEATURES, &[b"\x01", name].concat());
        assert!(compact(&[features(b"+\x0fmutable-globals")]).is_ok());
        assert!(compact(&[features(SIGN_EXTENSION)]).is_err());
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(compact(&[section(1, b"types")[..4].to_vec()]).is_err());
        assert!(OptimizationOptions::default().apply(b"\0asm").is_err());
    }
}
