begin;
select plan(1);

select is_empty(
  $$
    select a.attrelid::regclass, a.attname
    from pg_attribute as a
    inner join pg_class as c on a.attrelid = c.oid
    where
      c.relnamespace = 'public'::regnamespace
      and c.relkind = 'r'
      and a.attname in ('creds', 'value')
      and c.relname <> 'whatsapp_settings'
      and a.attstattarget is distinct from 0
  $$,
  'the history''s neither'
);

select * from finish();
rollback;
