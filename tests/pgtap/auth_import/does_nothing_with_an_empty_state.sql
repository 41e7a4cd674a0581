begin;
select plan(2);

set local role app;
select is(auth_import('acme', '{"format": 1, "creds": null, "keys": {}}'), 0::bigint, 'no row');
select is_empty('select * from auth_list_companies()', 'the company does not begin by it');

select * from finish();
rollback;
