//! Fetching the inputs of jobs.

use async_trait::async_trait;
use ciro_client::calls;
use ciro_primitives::input_commitment;
use std::time::Duration;

/// What to fetch and how to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where the requester says it is.
    pub locator: String,
    /// What it must hash to.
    pub commitment: [u8; 32],
    /// Samples, which the hash covers.
    pub batch: u32,
    /// Length in bytes: batch × inputs of the model.
    pub length: usize,
}

/// Why an input was not fetched.
#[derive(Debug, PartialEq, Eq)]
pub enum FetchError {
    /// It may work later.
    Unavailable(String),
    /// What is there is not what the job is about.
    WrongBytes,
    /// It is what the job is about, and no input of the model.
    Unusable(String),
}

impl std::fmt::Display for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(reason) => write!(f, "the input is not available: {reason}"),
            Self::Unusable(reason) => write!(f, "the model cannot be run on the input: {reason}"),
            Self::WrongBytes => f.write_str("the bytes there do not hash to the job's commitment"),
        }
    }
}

/// Somewhere that inputs come from. Whatever it is, [`fetch`] checks what it gives.
#[async_trait]
pub trait BlobSource: Send + Sync {
    /// Bytes said to be the input, at most `wanted.length` of them.
    async fn get(&self, wanted: &Wanted) -> Result<Vec<u8>, FetchError>;
}

/// Fetches an input and refuses everything but the one that the job is about.
pub async fn fetch(source: &dyn BlobSource, wanted: &Wanted) -> Result<Vec<i8>, FetchError> {
    let values = calls::values(&source.get(wanted).await?);
    let right = values.len() == wanted.length
        && input_commitment(wanted.batch, &values) == wanted.commitment;
    if right {
        Ok(values)
    } else {
        Err(FetchError::WrongBytes)
    }
}

/// `GET <locator>/<commitment in hexadecimal digits>`. Redirects are not followed.
pub struct Http(reqwest::Client);

impl Http {
    /// A client that gives up on a request after `timeout`.
    pub fn new(timeout: Duration) -> reqwest::Result<Self> {
        reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map(Self)
    }
}

#[async_trait]
impl BlobSource for Http {
    async fn get(&self, wanted: &Wanted) -> Result<Vec<u8>, FetchError> {
        let unavailable = |error: reqwest::Error| FetchError::Unavailable(words(&error));
        let url = format!(
            "{}/{}",
            wanted.locator.trim_end_matches('/'),
            hex::encode(wanted.commitment)
        );
        let mut response = self.0.get(url).send().await.map_err(unavailable)?;
        if !response.status().is_success() {
            return Err(FetchError::Unavailable(format!(
                "the server answers {}",
                response.status()
            )));
        }
        let mut bytes = Vec::with_capacity(wanted.length);
        while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
            if bytes.len() + chunk.len() > wanted.length {
                return Err(FetchError::WrongBytes);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// The error and its innermost cause, which is the part that says something.
fn words(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    let (outer, inner) = (error.to_string(), source.to_string());
    if outer == inner {
        outer
    } else {
        format!("{outer}: {inner}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    const INPUT: [i8; 4] = [1, -2, 3, -4];

    fn wanted(locator: String) -> Wanted {
        Wanted {
            locator,
            commitment: input_commitment(2, &INPUT),
            batch: 2,
            length: 4,
        }
    }

    /// Answers one request and gives its first line.
    async fn answer(response: Vec<u8>) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let locator = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            // The client may hang up before it has everything.
            let _ = stream.write_all(&response).await;
            String::from_utf8_lossy(&request[..length])
                .lines()
                .next()
                .unwrap()
                .to_owned()
        });
        (locator, task)
    }

    fn ok(body: &[u8]) -> Vec<u8> {
        let mut response = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        response.extend_from_slice(body);
        response
    }

    async fn fetched(response: Vec<u8>) -> Result<Vec<i8>, FetchError> {
        let (locator, task) = answer(response).await;
        let http = Http::new(Duration::from_secs(5)).unwrap();
        let result = fetch(&http, &wanted(locator)).await;
        task.await.unwrap();
        result
    }

    #[tokio::test]
    async fn asks_for_the_commitment_and_takes_the_bytes_behind_it() {
        let (locator, task) = answer(ok(&calls::bytes(&INPUT))).await;
        let wanted = wanted(format!("{locator}/"));
        let http = Http::new(Duration::from_secs(5)).unwrap();
        assert_eq!(fetch(&http, &wanted).await, Ok(INPUT.to_vec()));
        let line = task.await.unwrap();
        assert_eq!(
            line,
            format!("GET /{} HTTP/1.1", hex::encode(wanted.commitment))
        );
    }

    #[tokio::test]
    async fn refuses_other_bytes_fewer_and_more() {
        for body in [
            &[1, 254, 3, 253][..],
            &[1, 254, 3],
            &[1, 254, 3, 252, 0],
            &[0; 1 << 20],
        ] {
            assert_eq!(fetched(ok(body)).await, Err(FetchError::WrongBytes));
        }
    }

    #[tokio::test]
    async fn does_not_follow_redirects_or_believe_errors() {
        let moved =
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        for response in [&moved[..], &missing[..]] {
            assert!(matches!(
                fetched(response.to_vec()).await,
                Err(FetchError::Unavailable(_))
            ));
        }
        let http = Http::new(Duration::from_secs(5)).unwrap();
        for locator in ["http://127.0.0.1:1", "ftp://127.0.0.1", "no address", ""] {
            let result = fetch(&http, &wanted(locator.into())).await;
            assert!(
                matches!(result, Err(FetchError::Unavailable(_))),
                "{locator}"
            );
        }
    }

    #[tokio::test]
    async fn the_hash_covers_the_number_of_samples() {
        struct Fixed(Vec<u8>);
        #[async_trait]
        impl BlobSource for Fixed {
            async fn get(&self, _: &Wanted) -> Result<Vec<u8>, FetchError> {
                Ok(self.0.clone())
            }
        }
        let source = Fixed(calls::bytes(&INPUT));
        let right = wanted(String::new());
        assert!(fetch(&source, &right).await.is_ok());
        let other = Wanted { batch: 1, ..right };
        assert_eq!(fetch(&source, &other).await, Err(FetchError::WrongBytes));
    }
}
