//! Caddy, which has its certificate issued by itself and tells nobody.

use std::fs;

use super::authority::{Authority, PROGRAMS};
use super::cases::are_here;
use super::place::{DOMAIN, Place, done};

