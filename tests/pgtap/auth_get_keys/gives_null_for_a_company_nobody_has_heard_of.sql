begin;
select plan(2);

set local role app;
select is(auth_get_keys('acme', '{"session": ["1.0"]}')::jsonb, '{"session": {"1.0": null}}'::jsonb, 'of several types');
select is(auth_get_keys('acme', 'session', '{1.0}')::jsonb, '{"1.0": null}'::jsonb, 'of one type');

select * from finish();
rollback;
