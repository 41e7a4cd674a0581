-- The timeline of the write-ahead log: a new one begins with every promotion and every point-in-time recovery
-- (PostgreSQL manual, 26.3.6). Where a service has no such functions sql/920 replaces this one.
create or replace function _timeline ()
returns text
language sql
volatile
parallel restricted
return left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
