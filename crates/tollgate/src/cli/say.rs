//! What commands say to people. The only place that writes to standard output; the log goes
//! elsewhere.

use std::io::{self, Write as _};

/// Says `text` and ends the line. A reader that has gone away, as `| head` does, is no fault.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Says why a command failed, to standard error.
pub(super) fn fault(error: &anyhow::Error) {
    // Nobody is left to tell when this fails too.
    let _ = writeln!(io::stderr().lock(), "{error:#}");
}

/// Rows under their headings, each column as wide as its widest cell.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let mut widths = headings.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let shown = |cells: &[&str]| {
        let padded: Vec<String> =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    line(&shown(&headings))?;
    for row in rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        line(&shown(&cells))?;
    }
    Ok(())
}
