//! Gemini generateContent, as an upstream and as what callers speak. `recorded`: what Google and
//! its callers really send. `laws`: what must hold of every answer. `cases`: our own samples.
//! `bench`: what these tests share.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod recorded;
