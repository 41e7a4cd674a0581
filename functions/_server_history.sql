-- Which history of writes this is: the timeline, the cluster, the port, which a copy beside the original cannot share,
-- and the database, by its number, which a copy by `create database ... template` does not get with the name.
create or replace function _server_history ()
returns text
language sql
volatile
parallel restricted
return _timeline() || ' ' || _system_identifier() || ' ' || current_setting('port') || ' '
       || split_part(pg_relation_filepath('pg_class'), '/', -2);
