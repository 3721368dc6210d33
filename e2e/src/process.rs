//! Processes that end with the program that started them.

use crate::until;
use anyhow::{bail, Context, Result};
use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

/// Lines of a log that are worth showing when something went wrong.
const TAIL: usize = 25;

/// A running program whose output goes to a log file. Dropping it kills it; while a panic unwinds, the end of its log
/// is printed first.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    // Where its output begins in the log, after that of earlier processes of its name.
    start: u64,
}

impl Process {
    /// Starts a program. Its output is appended to `<folder>/<name>.log`.
    pub fn start<A: AsRef<OsStr>>(
        name: &str,
        folder: &Path,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let start = output.metadata()?.len();
        let child = Command::new(program)
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A Ctrl-C at the terminal is for the program that started it, which then ends it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        guard(&format!("add {}", child.id()));
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
            start,
        })
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as SIGKILL does, and waits until it is gone.
    pub fn kill(&mut self) {
        // It fails only if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        guard(&format!("drop {}", self.child.id()));
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// An error with the end of the log if it is not running any more.
    pub fn check(&mut self) -> Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => {
                let how = match status.signal() {
                    Some(signal) => format!("signal {signal}"),
                    None => format!("exit code {}", status.code().unwrap_or_default()),
                };
                bail!("{} ended with {how}:\n{}", self.name, self.tail())
            }
        }
    }

    /// Looks at what it says until there is something to see; an error with the end of its log if it ends before, or
    /// once `limit` is over.
    pub async fn says<T>(
        &mut self,
        what: &str,
        limit: Duration,
        look: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        let seen = until(what, limit, async || {
            Ok(match look(&self.log()?) {
                Some(seen) => Some(Ok(seen)),
                None => self.check().err().map(Err),
            })
        });
        seen.await.with_context(|| self.tail())?
    }

    /// Everything it has said so far.
    pub fn log(&self) -> Result<String> {
        let mut bytes = Vec::new();
        File::open(&self.log)
            .and_then(|mut log| {
                log.seek(SeekFrom::Start(self.start))?;
                log.read_to_end(&mut bytes)
            })
            .with_context(|| format!("cannot read {}", self.log.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last lines of what it has said.
    pub fn tail(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let mut tail = format!("--- the end of the log of {}\n", self.name);
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            let _ = writeln!(tail, "    {line}");
        }
        tail
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprint!("{}", self.tail());
        }
        self.kill();
    }
}

/// What the guard runs: it keeps a list of processes and, once its input ends, kills those that are left.
const GUARD: &str = r#"
trap '' INT TERM HUP
list=
while read -r word process; do
    rest=
    for other in $list; do
        [ "$other" = "$process" ] || rest="$rest $other"
    done
    list=$rest
    [ "$word" = drop ] || list="$list $process"
done
[ -z "$list" ] || kill -KILL $list
"#;

/// Starts a guard, a process of its own. Its input ends with this program, even if that is killed: so nothing is ever
/// left behind.
fn start_guard() -> std::io::Result<Child> {
    Command::new("sh")
        .args(["-c", GUARD])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

/// Tells the guard to add a process to its list or to drop one.
fn guard(line: &str) {
    static INPUT: Mutex<Option<ChildStdin>> = Mutex::new(None);
    let mut input = INPUT.lock().unwrap_or_else(PoisonError::into_inner);
    if input.is_none() {
        *input = start_guard().ok().and_then(|guard| guard.stdin);
    }
    // Without a guard, processes still end when they are dropped.
    if let Some(input) = input.as_mut() {
        let _ = writeln!(input, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn exists(process: u32) -> bool {
        Path::new(&format!("/proc/{process}")).exists()
    }

    #[test]
    fn a_dropped_process_is_gone_and_its_log_stays() {
        let folder = tempfile::tempdir().unwrap();
        let script = ["-c", "echo started; exec sleep 600"];
        let process =
            Process::start("sleeper", folder.path(), Path::new("/bin/sh"), script).unwrap();
        let id = process.child.id();
        let start = Instant::now();
        while !process.log().unwrap().contains("started") {
            assert!(start.elapsed() < Duration::from_secs(10));
        }
        assert!(exists(id) && process.tail().contains("    started"));
        drop(process);
        assert!(!exists(id));
        assert!(folder.path().join("sleeper.log").exists());
    }

    #[test]
    fn a_log_is_that_of_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let run = |word: &str| {
            let script = ["-c".to_owned(), format!("echo {word}")];
            let mut process =
                Process::start("twice", folder.path(), Path::new("/bin/sh"), script).unwrap();
            process.child.wait().unwrap();
            process.log().unwrap()
        };
        assert_eq!(run("first"), "first\n");
        assert_eq!(run("second"), "second\n");
    }

    #[test]
    fn an_early_end_is_reported_with_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let script = ["-c", "echo no such chain; exit 3"];
        let mut process =
            Process::start("node", folder.path(), Path::new("/bin/sh"), script).unwrap();
        process.child.wait().unwrap();
        let report = process.check().unwrap_err().to_string();
        assert!(
            report.contains("exit code 3") && report.contains("no such chain"),
            "{report}"
        );
    }

    #[test]
    fn the_guard_kills_what_is_on_its_list_when_its_input_ends() {
        let sleeper = || Command::new("sleep").arg("600").spawn().unwrap();
        let (mut left, mut ended) = (sleeper(), sleeper());
        let mut guard = start_guard().unwrap();
        let mut input = guard.stdin.take().unwrap();
        write!(
            input,
            "add {}\nadd {}\ndrop {}\n",
            left.id(),
            ended.id(),
            ended.id()
        )
        .unwrap();
        assert!(left.try_wait().unwrap().is_none());
        drop(input);
        assert!(guard.wait().unwrap().success());
        assert_eq!(left.wait().unwrap().signal(), Some(9));
        assert!(ended.try_wait().unwrap().is_none());
        ended.kill().unwrap();
        ended.wait().unwrap();
    }
}
