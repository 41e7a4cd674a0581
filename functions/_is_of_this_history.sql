-- The same history since before the server was last started: no promotion, no recovery, no copy in between.
create or replace function _is_of_this_history (p_given_in text)
returns boolean
language sql
volatile
parallel restricted
return split_part(p_given_in, ' ', 1) = split_part(_server_history(), ' ', 1)
       and split_part(p_given_in, ' ', 2) = split_part(_server_history(), ' ', 2)
       and _is_of_this_database(p_given_in);
