begin;
select plan(3);

set local role app;
select auth_save_creds(c.id, '{"noiseKey": "n", "signedIdentityKey": "i"}') from unnest(array['a', 'B', 'é', 'a%', 'aa']) as c (id);
select results_eq(
  $$select company_id from auth_list_companies(null, 2)$$, array['B', 'a'], 'the first page, in byte order'
);
select results_eq($$select company_id from auth_list_companies('a', 2)$$, array['a%', 'aa'], 'the next');
select results_eq($$select company_id from auth_list_companies('aa', 2)$$, array['é'], 'the last');

select * from finish();
rollback;
