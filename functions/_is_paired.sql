-- Baileys sets a me without a device while a pairing code is pending (Socket/socket.ts, requestPairingCode).
create or replace function _is_paired (p_creds jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path from current
as $func$
  select coalesce(jsonb_typeof(p_creds) = 'object', false)
         and (coalesce(jsonb_typeof(p_creds -> 'account'), 'null') <> 'null'
              or coalesce(p_creds #>> '{me,id}', '') ~ ':[0-9]+@')
$func$;
