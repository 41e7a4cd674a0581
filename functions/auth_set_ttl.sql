create or replace function auth_set_ttl (p_key_type text, p_ttl interval, p_force boolean default false)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_changed bigint;
  v_is_new boolean;
begin
  perform _assert_service();
  perform _assert_key_type(p_key_type);
  if p_ttl is not null then
    perform _assert_ttl(p_ttl);
  end if;
  if p_ttl is not null and p_force is not true
     and p_key_type in ('creds', 'app-state-sync-key', 'pre-key', 'session', 'sender-key') then
    raise exception using errcode = 'WA006',
      message = format('Keys of type %s are not to expire: losing them breaks an account.', p_key_type),
      detail = 'app-state-sync-key costs the account or a full resync, pre-key an undecryptable first message, session and sender-key a burst of retries that risks a ban.',
      hint = 'p_force => true, if that is what you want.';
  end if;
  perform _assert_transaction();
  if not pg_try_advisory_xact_lock(_ttl_lock_key()) then
    perform _wait_for_lock(_ttl_lock_key(), 'The cleanup');
  end if;
  insert into whatsapp_key_ttl as t (key_type, ttl, changed_at)
  values (p_key_type, p_ttl, _now())
  on conflict (key_type) do update
     set ttl = excluded.ttl, changed_at = excluded.changed_at
   where t.ttl is distinct from excluded.ttl;
  v_is_new := found;
  v_changed := _apply_ttl(p_key_type, p_ttl);
  if v_is_new or v_changed > 0 then
    perform _audit('', 'ttl_changed', _now(), v_changed, jsonb_build_object('key_type', p_key_type, 'ttl', p_ttl));
  end if;
  return v_changed;
end
$func$;

comment on function auth_set_ttl (text, interval, boolean) is $$
Sets how long keys of a type live without being written, brings the expiry of existing rows along, and returns how many rows that changed. Always `expires_at = updated_at + ttl`.

- `p_key_type`: 1 to 128 bytes, known or not.
- `p_ttl`: above zero and up to 1000 years; null: never expires.
- `p_force`: types whose loss breaks an account (app-state-sync-key, pre-key, session, sender-key) are refused with WA006 without it.

Reads the whole key table. Rows that a writer holds at that moment are not waited for: they follow with their next write, or with the next cleanup that finds nothing to remove.

Errors: WA001, WA006, 42501, 55P03. Locks: changed rows until the transaction ends, and a writer that changes one of them waits for that: keep the transaction short. Waits for a cleanup batch that is under way.
$$;
