-- Baileys sets a me without a device while a pairing code is pending (Socket/socket.ts, requestPairingCode).
-- Encrypted creds say so in their header.
create or replace function _is_paired (p_creds jsonb)
returns boolean
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  if jsonb_typeof(p_creds) = 'string' then
    return coalesce(_header(p_creds) -> 'paired' = 'true', false);
  end if;
  return coalesce(jsonb_typeof(p_creds -> 'account'), 'null') <> 'null'
         or coalesce(p_creds #>> '{me,id}', '') ~ ':[0-9]+@';
end
$func$;
