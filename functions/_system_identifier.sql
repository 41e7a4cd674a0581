-- Which cluster this is: initdb gave it a number, and nothing but a physical copy shares it. Without it a dump that
-- another cluster brings could by chance have the transaction that restores it. It stays as it is as long as a server
-- runs: immutable, so that a plan keeps it, since asking for it reads a file.
create or replace function _system_identifier ()
returns text
language sql
immutable
parallel safe
return (select c.system_identifier::text from pg_control_system() as c);
