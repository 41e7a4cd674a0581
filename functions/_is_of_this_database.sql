-- Whether a lease was given here: in this database, not a copy of it, of this server or one that streams from it.
create or replace function _is_of_this_database (p_given_in text)
returns boolean
language sql
volatile
parallel restricted
return split_part(p_given_in, ' ', 3) = split_part(_server_history(), ' ', 3)
       and split_part(p_given_in, ' ', 5) = _system_identifier();
