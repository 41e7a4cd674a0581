begin;
select plan(5);

create function pg_temp.resumes(p_write text) returns boolean language plpgsql as $$
declare
  v_token bigint;
begin
  perform set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
  v_token := l.token from auth_acquire_lease('acme', 'worker-1', p_steal => true) as l;
  perform set_config('auth_state.now', '2026-03-01 12:02:00Z', true);
  execute 'select ' || p_write;
  return (select l.acquired from auth_acquire_lease('acme', 'worker-1', p_token => v_token) as l);
end
$$;
grant execute on function pg_temp.resumes(text) to app;
set local role app;
select is(pg_temp.resumes(c.call), c.resumes, c.call)
from (
  values
  ($$auth_set_keys('acme', '{"session": {"1.0": 1}}')$$, false),
  ($$auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}')$$, false),
  ($$auth_clear_keys('acme')$$, false),
  ($$auth_import('acme', '{"format": 1, "keys": {"session": {"2.0": 1}}}', 'merge')$$, false),
  ($$auth_get_creds('acme')$$, true)
) as c (call, resumes);

select * from finish();
rollback;
