//! Backup, restore and check, for the administrator.
