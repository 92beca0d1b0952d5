//! Serves the simulated providers on a socket.
