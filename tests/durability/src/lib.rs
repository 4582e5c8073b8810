//! Holds the tests beside it: the gateway's and the engine's real stores, run beside a simple model and on a disk that
//! forgets what was not synced.
