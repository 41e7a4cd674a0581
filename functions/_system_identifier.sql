-- Which initdb made this server: what tells two apart that were set up alike. It is read from a file, which takes
-- longer than a small write. Where a service has no such function sql/920 replaces this one.
create or replace function _system_identifier ()
returns text
language sql
volatile
parallel restricted
return (pg_control_system()).system_identifier::text;
