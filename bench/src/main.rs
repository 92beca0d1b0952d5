//! The two ends of a benchmark: a cheap upstream and a load, both plain HTTP/1.1 by hand, so that
//! their own cost is small and the same for every proxy between them. `bench/run` drives them.

mod http;
mod load;
mod upstream;

use anyhow::{Context, bail};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments.split_first() {
        Some((what, rest)) if what == "upstream" => {
            let address = rest.first().context("upstream ADDRESS")?;
            runtime.block_on(upstream::serve(address))
        }
        Some((what, rest)) if what == "load" => runtime.block_on(load::run(rest)),
        _ => bail!("use: tollgate-bench upstream ADDRESS | load NAME=VALUE …"),
    }
}
