-- Whether a lease was given in this database, before a failover or after: not in a copy of it, nor in another cluster.
create or replace function _is_of_this_database (p_given_in text)
returns boolean
language sql
volatile
parallel restricted
return split_part(p_given_in, ' ', 2) = split_part(_server_history(), ' ', 2)
       and split_part(p_given_in, ' ', 4) = split_part(_server_history(), ' ', 4);
