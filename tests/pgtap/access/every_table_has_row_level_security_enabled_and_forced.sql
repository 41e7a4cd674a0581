begin;
select plan(2);

select is_empty(
  $$
    select c.oid::regclass
    from pg_class as c
    where
      c.relnamespace = 'public'::regnamespace
      and c.relkind in ('r', 'p')
      and c.relname like 'whatsapp\_%'
      and not (c.relrowsecurity and c.relforcerowsecurity)
  $$,
  'for the owner too'
);
select is_empty(
  $$
    select p.polrelid::regclass, p.polname
    from pg_policy as p
    where p.polroles <> array['auth_state_owner'::regrole::oid]
  $$,
  'and no policy for anybody but the owner'
);

select * from finish();
rollback;
