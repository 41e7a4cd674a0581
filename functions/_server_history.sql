-- Which history of writes this is, as far as a call can afford to ask: the timeline, the port, which a copy beside
-- the original cannot share, the database, by its number, which a copy by `create database ... template` cannot, and
-- when the server was started, to the microsecond, which no other server shares.
create or replace function _server_history ()
returns text
language sql
volatile
parallel restricted
return _timeline() || ' ' || current_setting('port') || ' '
       || split_part(pg_relation_filepath('pg_class'), '/', -2) || ' ' || extract(epoch from pg_postmaster_start_time());
