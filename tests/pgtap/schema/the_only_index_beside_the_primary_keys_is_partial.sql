begin;
select plan(1);

select results_eq(
  $$
    select pg_get_indexdef(i.indexrelid)
    from pg_index as i
    inner join pg_class as c on i.indrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and not i.indisprimary
  $$,
  array[
    'CREATE INDEX whatsapp_keys_expires_at_idx ON public.whatsapp_keys USING btree (expires_at) WHERE (expires_at IS NOT NULL)'
  ],
  'on expires_at, of the keys that have one'
);

select * from finish();
rollback;
