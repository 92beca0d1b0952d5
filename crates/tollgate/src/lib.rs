//! Floor 3: the program. Everything that opens a socket, a file or a timer lives here.

pub mod cli;
pub mod config;
pub mod simulate;
