begin;
\ir ../refuses.psql
select plan(1);

select auth_set_keys('acme', jsonb_build_object('session', jsonb_build_object('1', repeat('S3CRET__', 1024 * 1024))));
-- Copied as it lies compressed, which is quicker than to send it.
insert into whatsapp_keys
select
  k.company_id,
  k.key_type,
  i::text,
  k.value,
  k.created_at,
  k.updated_at
from whatsapp_keys as k
cross join generate_series(2, 17) as i;
set local role app;
select pg_temp.refuses($$select auth_export('acme')$$, '54000', null, 'with a hint to page');

select * from finish();
rollback;
