begin;
select plan(3);

create role bound_bot login;
select auth_bind_role('bound_bot', 'acme');
set local role bound_bot;
select count(
  auth_save_creds(
    'acme', jsonb_build_object('noiseKey', i % 2, 'signedIdentityKey', i % 2, 'n', i), p_allow_new_identity => true
  )
)
from generate_series(1, 1000) as i;
select is(auth_get_creds('acme') ->> 'n', '1000', 'nothing is refused');
select cmp_ok((select count(*) from auth_creds_history('acme')), '<=', 105::bigint, 'and no more are kept');
select is((select count(distinct h.identity) from auth_creds_history('acme') as h), 2::bigint, 'of both');

select * from finish();
rollback;
