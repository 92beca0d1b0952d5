//! The real program, called over real sockets, in front of simulated providers that misbehave.
//! Each test is named after a promise to the user.

#[path = "program/attacks.rs"]
mod attacks;
#[path = "program/faults.rs"]
mod faults;
#[path = "program/hostile.rs"]
mod hostile;
#[path = "program/leaving.rs"]
mod leaving;
#[path = "program/operating.rs"]
mod operating;
#[path = "program/site.rs"]
mod site;
#[path = "program/tls.rs"]
mod tls;
