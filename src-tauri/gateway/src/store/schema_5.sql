-- What is too old is found by a look through all, a little at a time: each message paid for this index.
DROP INDEX known_by_time;
