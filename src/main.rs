//! The program: parses the command line and starts one role. Nothing else lives here.

fn main() {}
