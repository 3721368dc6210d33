//! What a command has to say, and how it is said: text or JSON, and the exit code.

use anyhow::Error;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{json, Value};
use std::{fmt::Display, io::IsTerminal, process::ExitCode, time::Duration};

/// The answer of a command.
pub struct Report {
    /// For people; nothing is printed if it is empty.
    pub text: String,
    /// For programs.
    pub json: Value,
    /// Whether the answer is the one hoped for: exit code 0, else 1.
    pub positive: bool,
}

impl Report {
    /// The answer hoped for.
    pub fn yes(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            positive: true,
        }
    }

    /// An answer that is not the one hoped for, though nothing failed.
    pub fn no(text: impl Into<String>, json: Value) -> Self {
        Self {
            positive: false,
            ..Self::yes(text, json)
        }
    }
}

/// How to talk.
#[derive(Clone, Copy)]
pub struct Output {
    /// JSON on standard output, one object a line.
    pub json: bool,
}

impl Output {
    /// Prints something at once.
    pub fn say(self, report: &Report) {
        if self.json {
            println!("{}", report.json);
        } else if !report.text.is_empty() {
            println!("{}", report.text);
        }
    }

    /// Prints how a command ended, errors to standard error, and gives the exit code.
    pub fn finish(self, result: Result<Report, Error>) -> ExitCode {
        match result {
            Ok(report) => {
                self.say(&report);
                ExitCode::from(u8::from(!report.positive))
            }
            Err(error) => {
                let code = exit_code(&error);
                if self.json {
                    eprintln!("{}", json!({ "error": format!("{error:#}"), "code": code }));
                } else {
                    eprintln!("error: {error:#}");
                }
                ExitCode::from(code)
            }
        }
    }

    /// Something that turns while a step takes its time, on a terminal; it vanishes when dropped.
    pub fn progress(self, step: impl Display) -> Step {
        if self.json || !std::io::stderr().is_terminal() {
            return Step(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(step.to_string());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Step(bar)
    }
}

/// A step under way.
pub struct Step(ProgressBar);

impl Step {
    /// Says what the step is at now.
    pub fn at(&self, step: impl Display) {
        self.0.set_message(step.to_string());
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// 3 if the chain or the network is the cause, else 2.
fn exit_code(error: &Error) -> u8 {
    match error.downcast_ref::<ciro_client::Error>() {
        None | Some(ciro_client::Error::Key(_)) => 2,
        Some(_) => 3,
    }
}

/// Lines of `name  value`, the values aligned.
pub fn fields(rows: &[(&str, String)]) -> String {
    table(
        &rows
            .iter()
            .map(|(name, value)| vec![(*name).to_owned(), value.clone()])
            .collect::<Vec<_>>(),
    )
}

/// Rows of cells in aligned columns.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn exit_codes_tell_the_chain_from_the_input() {
        assert_eq!(exit_code(&anyhow::anyhow!("no such file")), 2);
        let chain = || ciro_client::Error::Rejected("full".into());
        assert_eq!(exit_code(&chain().into()), 3);
        let wrapped = Err::<(), _>(chain()).context("cannot submit").unwrap_err();
        assert_eq!(exit_code(&wrapped), 3);
        assert_eq!(exit_code(&ciro_client::Error::Key("bad".into()).into()), 2);
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(
            fields(&[("a", "1".into()), ("long", "2".into())]),
            "a     1\nlong  2"
        );
    }
}
