//! One validating pass over a JSON body that copies nothing.
