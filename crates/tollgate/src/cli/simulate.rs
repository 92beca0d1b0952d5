//! `tollgate simulate`: the simulated providers alone, on a port, for tests of applications.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use super::signals::End;
use super::{log, say};
use crate::config::{Log, LogFormat};
use crate::simulate;

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
}

pub(super) fn run(simulate: &Simulate) -> anyhow::Result<ExitCode> {
    log::start(Log { format: LogFormat::Text, access: false });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(simulate.listen))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(address: SocketAddr) -> anyhow::Result<()> {
    let mut end = End::listen()?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} cannot be listened on"))?;
    let address = listener.local_addr()?;
    say::line(&format!(
        "The simulated providers listen on http://{address}\n\n\
         base URL for OpenAI's SDKs                  http://{address}/v1\n\
         base URL for Anthropic's and Google's SDKs  http://{address}\n\n\
         Any key will do."
    ))?;
    simulate::serve(listener, tollgate_simulate::Simulator::new(), end.asked()).await?;
    Ok(())
}
