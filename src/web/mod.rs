//! The pages: the table of addresses on one screen, guards as types, one file per page in `page`.
//! This room maps HTTP to the acts of the room `account`; it decides nothing about people, and it
//! has no door to the machine.
