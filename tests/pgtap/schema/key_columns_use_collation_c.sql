begin;
select plan(1);

select is_empty(
  $$
    select a.attrelid::regclass, a.attname
    from pg_attribute as a
    inner join pg_class as c on a.attrelid = c.oid
    where
      c.relnamespace = 'public'::regnamespace
      and c.relname like 'whatsapp\_%'
      and a.attname in ('company_id', 'key_type', 'key_id')
      and a.attcollation <> '"C"'::regcollation
  $$,
  'company_id, key_type and key_id of every table and index'
);

select * from finish();
rollback;
