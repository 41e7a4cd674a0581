begin;
select plan(3);

set local role app;
select is(auth_set_keys('acme', '{}'), 0, 'no type');
select is(auth_set_keys('acme', '{"session": {}, "pre-key": {}}'), 0, 'types without a key');
select is_empty('select * from auth_list_companies()', 'the company does not begin by it');

select * from finish();
rollback;
