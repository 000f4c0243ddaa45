//! Second factors by time (RFC 6238), and codes for the day the telephone is lost.
