begin;
select plan(1);

select bag_eq(
  $$
    select pg_get_indexdef(i.indexrelid)
    from pg_index as i
    inner join pg_class as c on i.indrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and not i.indisprimary
  $$,
  array[
    'CREATE INDEX whatsapp_audit_at_idx ON public.whatsapp_audit USING btree (at)',
    'CREATE INDEX whatsapp_auth_history_replaced_at_idx ON public.whatsapp_auth_history USING btree (replaced_at) WHERE ends_identity',
    'CREATE INDEX whatsapp_keys_expires_at_idx ON public.whatsapp_keys USING btree (expires_at) WHERE (expires_at IS NOT NULL)'
  ],
  'for what cleanup looks for across companies'
);

select * from finish();
rollback;
