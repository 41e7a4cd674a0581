-- Nobody wrote in between, and the row proves it.
begin;
select plan(3);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select set_config('auth_state.now', '2026-03-01 12:01:01Z', true);
create function pg_temp.hint()
returns text
language plpgsql
as $func$
declare
  v_hint text;
begin
  perform auth_set_keys('acme', '{}', current_setting('test.token')::bigint);
  return 'written';
exception
  when sqlstate 'WA002' then
    get stacked diagnostics v_hint = pg_exception_hint;
    return v_hint;
end
$func$;
select matches(pg_temp.hint(), 'p_token', 'resume');
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select doesnt_match(pg_temp.hint(), 'p_token', 'not once somebody wrote');
select is(
  (select l.acquired from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.token')::bigint) as l),
  false, 'nor is it resumed'
);

select * from finish();
rollback;
