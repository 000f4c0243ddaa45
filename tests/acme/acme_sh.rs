//! acme.sh's folder as it leaves it, and its deploy hook, sourced and called by a stand-in.
