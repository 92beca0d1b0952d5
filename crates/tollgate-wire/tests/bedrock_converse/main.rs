//! Bedrock Converse, as an upstream and as what callers speak. `own`: what Bedrock and its callers
//! really send. `crossing`: what other dialects' callers and providers send. `cases`: our own
//! samples. `bench`: what these tests share.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod crossing;
#[cfg(test)]
mod own;
