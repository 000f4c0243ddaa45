//! Accounts from elsewhere: readers of foreign formats, pure, and what becomes of each account.
