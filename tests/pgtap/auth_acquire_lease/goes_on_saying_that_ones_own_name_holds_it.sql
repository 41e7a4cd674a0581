begin;
-- A second process asks again and again; the first one renews all the time.
select plan(3);

create function pg_temp.ask(p_seconds integer) returns setof boolean language plpgsql as $$
declare
  v_token bigint;
begin
  perform set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
  perform auth_acquire_lease('acme ' || p_seconds, 'worker-1');
  v_token := l.token from auth_acquire_lease('acme ' || p_seconds, 'worker-1') as l;
  for i in 1 .. 60 loop
    perform set_config('auth_state.now', (timestamptz '2026-03-01 12:00:00Z' + i * p_seconds * interval '1 second')::text, true);
    perform auth_renew_lease('acme ' || p_seconds, v_token);
    return query select l.acquired from auth_acquire_lease('acme ' || p_seconds, 'worker-1') as l;
  end loop;
end
$$;
grant execute on function pg_temp.ask(integer) to app;
set local role app;
select is_empty($$select * from pg_temp.ask(5) as acquired where acquired$$, 'every 5 seconds, for 5 minutes');
select is_empty($$select * from pg_temp.ask(29) as acquired where acquired$$, 'every 29 seconds, for half an hour');
select is_empty($$select * from pg_temp.ask(59) as acquired where acquired$$, 'every 59 seconds, for an hour');

select * from finish();
rollback;
