begin;
-- A tenant could fill it: each identity is kept for 30 days, creds and all.
\ir ../refuses.psql
select plan(6);

create role bound_bot login;
select auth_bind_role('bound_bot', 'acme');
create function pg_temp.change(p_from integer, p_to integer) returns bigint language plpgsql as $$
declare
  v_changed bigint := 0;
begin
  for i in p_from .. p_to loop
    begin
      perform auth_save_creds('acme', jsonb_build_object('noiseKey', i, 'signedIdentityKey', i), p_allow_new_identity => true);
      v_changed := v_changed + 1;
    exception
      when sqlstate 'WA006' then
        null;
    end;
  end loop;
  return v_changed;
end
$$;
grant execute on function pg_temp.change(integer, integer) to bound_bot;
set local role bound_bot;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select is(pg_temp.change(1, 1000), 101::bigint, 'the first, and 100 changes');
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$, 'WA006', 'Nothing was written',
  'the next is refused'
);
select cmp_ok((select count(*) from auth_creds_history('acme')), '<=', 106::bigint, 'so many are kept');
select is(auth_get_creds('acme') ->> 'noiseKey', '101', 'the last ones that were saved stay');
select auth_save_creds('acme', '{"noiseKey": 101, "signedIdentityKey": 101, "n": 1}');
select is(auth_get_creds('acme') ->> 'n', '1', 'and are saved as ever');
select set_config('auth_state.now', '2026-03-31 12:00:01Z', true);
select is(pg_temp.change(2000, 2009), 10::bigint, 'after 30 days there is room');

select * from finish();
rollback;
