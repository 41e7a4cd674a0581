begin;
select plan(3);

select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}}');
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
create function pg_temp.read(p_call text) returns jsonb language plpgsql as $$
declare
  v_result jsonb;
begin
  perform set_config(
    case when current_setting('server_version_num')::integer < 160000 then 'force_parallel_mode' else 'debug_parallel_query' end,
    'on', true
  );
  execute 'select to_jsonb(x) from ' || p_call || ' as x' into v_result;
  return v_result;
end
$$;
set local role app;
select is(
  pg_temp.read($$auth_get_creds('acme')$$), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'as the role that was set'
);
select is(pg_temp.read($$auth_get_keys('acme', 'session', '{1.0}')$$), '{"1.0": 1}'::jsonb, 'keys too');

set local role auth_state_tenant;
select set_config('request.jwt.claims', '{"company_id": "acme"}', true);
select is(
  pg_temp.read($$auth_get_creds('acme')$$), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'as a tenant by its claims'
);

select * from finish();
rollback;
