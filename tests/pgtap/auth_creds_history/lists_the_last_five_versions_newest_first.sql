begin;
select plan(2);

set local role app;
select auth_save_creds('acme', jsonb_build_object('noiseKey', 'n', 'signedIdentityKey', 'i', 'n', i)) from generate_series(1, 8) as i;
select is((select count(*) from auth_creds_history('acme')), 5::bigint, 'five');
select is(
  (select array_agg(h.version) from auth_creds_history('acme') as h),
  (select array_agg(h.version order by h.version desc) from auth_creds_history('acme') as h),
  'newest first'
);

select * from finish();
rollback;
