create or replace function auth_configure (p_name text, p_value text)
returns text
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set lock_timeout = '5s'
as $func$
declare
  v_before text;
  v_changed bigint;
begin
  perform _assert_service();
  perform _assert_setting(p_name, p_value, 'p_value');
  perform _assert_transaction();
  v_before := _setting(p_name);
  if p_value is null then
    delete from whatsapp_settings s where s.name = p_name;
  else
    insert into whatsapp_settings as s (name, value)
    select p_name, p_value
     where not exists (select from whatsapp_settings o where o.name = p_name and o.value = p_value)
    on conflict (name) do update
       set value = excluded.value;
  end if;
  get diagnostics v_changed = row_count;
  if v_changed > 0 then
    perform _audit('', 'configured', _now(), null, jsonb_build_object('setting', p_name, 'from', v_before, 'to', _setting(p_name)));
  end if;
  return v_before;
end
$func$;

comment on function auth_configure (text, text) is $$
Keeps a setting of the package in the database, for every session from its next call on, and returns the value that was in force before, the default included. Null goes back to the default. Audited.

- `p_name`: the setting.
  - `lock_wait` (5s, from 1ms to 10 minutes): how long a call waits for another one of the same company. A session may shorten it for itself with `auth_state.lock_wait` or `lock_timeout`, and can change no other setting.
  - `history_versions` (5, from 1 to 999): how many earlier versions of creds are kept.
  - `audit_retention` (90 days, at least 7): how long the audit log is kept.
  - `keep_deleted` (7 days), `keep_snapshots` (90 days), `starts_per_call` (10): kept already; the functions that will read them are not here yet.
- `p_value`: null for the default. A time is an interval of PostgreSQL; a bare number is milliseconds.

Only for the service. Errors: WA001, WA006 (isolation level), 42501. Locks: the row of that setting.
$$;
