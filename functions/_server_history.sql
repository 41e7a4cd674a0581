-- Which history of writes this is: the timeline, the port, which a copy beside the original cannot share, and the
-- database, which a copy by `create database ... template` cannot.
create or replace function _server_history ()
returns text
language sql
volatile
parallel restricted
return _timeline() || ' ' || current_setting('port') || ' ' || current_database();
