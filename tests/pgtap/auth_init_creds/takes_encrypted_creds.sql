begin;
select plan(2);

set local role app;
select is(auth_init_creds('acme', '"sealed"'), '"sealed"'::jsonb, 'a string');
select is(auth_init_creds('acme', '{}'), '"sealed"'::jsonb, 'which is creds like any other');

select * from finish();
rollback;
