//! Signing keys out of secrets that a person or a file gives.

use crate::Error;
use std::{fs, path::Path, str::FromStr};
use subxt_signer::{sr25519::Keypair, SecretUri};

/// Reads a secret: `//Alice` (a development key), a mnemonic, or `0x` and 64 hexadecimal digits, with derivations
/// (`//hard`, `/soft`) and a password (`///password`) after it. The error never repeats the secret.
pub fn keypair(secret: &str) -> Result<Keypair, Error> {
    let uri = SecretUri::from_str(secret.trim())
        .map_err(|_| Error::Key("give //Name, a mnemonic or a 0x seed".into()))?;
    Keypair::from_uri(&uri).map_err(|error| Error::Key(error.to_string()))
}

/// Reads the secret that is the only line of a file. On Unix, a file that others may read is refused.
pub fn keypair_from_file(path: &Path) -> Result<Keypair, Error> {
    keypair(&secret_from_file(path)?)
}

/// The only line of a file, as it is. On Unix, a file that others may read is refused.
pub fn secret_from_file(path: &Path) -> Result<String, Error> {
    let failed = |what: String| Error::Key(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(path).map_err(|error| failed(error.to_string()))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(failed(
                "other users may read this key file: chmod 600 it first".into(),
            ));
        }
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    match (lines.next(), lines.next()) {
        (Some(secret), None) => Ok(secret.trim().to_owned()),
        _ => Err(failed("a key file holds one line, the secret".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn reads_names_and_seeds() {
        assert_eq!(
            crate::account(&keypair("//Alice").unwrap()).to_string(),
            ALICE
        );
        assert!(keypair(&format!("0x{}", "11".repeat(32))).is_ok());
        assert!(
            keypair("bottom drive obey lake curtain smoke basket hold race lonely fit walk")
                .is_ok()
        );
    }

    #[test]
    fn errors_do_not_repeat_the_secret() {
        for secret in ["0xabcdef", "zebra zebra zebra", "!secret!"] {
            let error = keypair(secret).unwrap_err().to_string();
            assert!(
                !error.contains("zebra")
                    && !error.contains("abcdef")
                    && !error.contains("!secret!"),
                "{error}"
            );
        }
    }

    #[test]
    fn key_files_are_private_and_hold_one_secret() {
        let dir = std::env::temp_dir().join(format!("ciro-keys-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("key");
        fs::write(&path, "//Alice\n").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            assert!(keypair_from_file(&path)
                .unwrap_err()
                .to_string()
                .contains("chmod"));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        assert_eq!(
            crate::account(&keypair_from_file(&path).unwrap()).to_string(),
            ALICE
        );
        fs::write(&path, "//Alice\n//Bob\n").unwrap();
        assert!(keypair_from_file(&path).is_err());
        fs::remove_dir_all(&dir).unwrap();
    }
}
