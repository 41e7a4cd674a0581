-- Every row that a committed transaction wrote, in the order of the company's lock, if that lock holds.
-- A superuser's own, beside pg-auth-state: whoever races can neither read nor write it.
create schema race;

create sequence race.numbers;

create table race.log (
  number bigint not null default nextval('race.numbers'),
  at timestamptz not null default clock_timestamp(),
  xid text not null default pg_current_xact_id(),
  is_first boolean not null,  -- of its transaction
  what text not null,         -- lease, creds, key; truncate; end: the transaction is about to commit
  company text,
  note jsonb,                 -- what the client says it does, from a comment in its statement
  key_type text,
  key_id text,
  value jsonb,                -- null: the row is gone
  token bigint,               -- null: the lease is gone
  holder text,
  moment timestamptz,         -- the clock as the function read it
  expires_at timestamptz
);

create function race.is_first() returns boolean language plpgsql as $$
begin
  if current_setting('race.xid', true) = pg_current_xact_id()::text then
    return false;
  end if;
  perform set_config('race.xid', pg_current_xact_id()::text, true);
  return true;
end
$$;

create function race.note() returns jsonb language sql as $$
  select substring(current_query() from '^/\*(.*?)\*/')::jsonb
$$;

create function race.log_key() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'DELETE' then
    insert into race.log (is_first, what, company, note, key_type, key_id)
    values (race.is_first(), 'key', old.company_id, race.note(), old.key_type, old.key_id);
  else
    insert into race.log (is_first, what, company, note, key_type, key_id, value, moment)
    values (race.is_first(), 'key', new.company_id, race.note(), new.key_type, new.key_id, new.value, new.updated_at);
  end if;
  return null;
end
$$;

create function race.log_creds() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'DELETE' then
    insert into race.log (is_first, what, company, note)
    values (race.is_first(), 'creds', old.company_id, race.note());
  else
    insert into race.log (is_first, what, company, note, value, moment)
    values (race.is_first(), 'creds', new.company_id, race.note(), new.creds, new.updated_at);
  end if;
  return null;
end
$$;

create function race.log_lease() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'DELETE' then
    insert into race.log (is_first, what, company, note)
    values (race.is_first(), 'lease', old.company_id, race.note());
  else
    insert into race.log (is_first, what, company, note, token, holder, moment, expires_at)
    values (race.is_first(), 'lease', new.company_id, race.note(), new.token, new.holder, new.acquired_at, new.expires_at);
  end if;
  return null;
end
$$;

create function race.log_truncate() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into race.log (is_first, what) values (race.is_first(), 'truncate');
  return null;
end
$$;

create function race.log_end() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into race.log (is_first, what) values (false, 'end');
  return null;
end
$$;

create trigger race_log after insert or update or delete on whatsapp_keys
for each row execute function race.log_key();
create trigger race_log after insert or update or delete on whatsapp_auth
for each row execute function race.log_creds();
create trigger race_log after insert or delete on whatsapp_leases
for each row execute function race.log_lease();
-- Not what is noted beside it: who wrote the row, and that somebody wrote without it.
create trigger race_log_update after update on whatsapp_leases
for each row when ((old.token, old.holder, old.acquired_at, old.expires_at) is distinct from (new.token, new.holder, new.acquired_at, new.expires_at))
execute function race.log_lease();
create trigger race_log_truncate after truncate on whatsapp_leases
for each statement execute function race.log_truncate();
create constraint trigger race_log_end after insert on race.log
deferrable initially deferred
for each row when (new.is_first) execute function race.log_end();
