-- A locked row is a written row: it goes to the WAL.
begin;
select plan(1);

select auth_set_keys('acme', '{"session": {"1.0": "x"}, "lid-mapping": {"962302": "118"}}');
select auth_set_keys('acme', '{"session": {"1.0": "x"}, "lid-mapping": {"962302": "118"}}');
select is_empty('select key_id from whatsapp_keys where xmax::text <> ''0''', 'no row bears the mark of it');

select * from finish();
rollback;
