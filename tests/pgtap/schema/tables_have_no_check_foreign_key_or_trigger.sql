-- The message of a failed CHECK would print the row.
begin;
select plan(2);

select is_empty(
  $$
    select c.conrelid::regclass, c.conname
    from pg_constraint as c
    where c.connamespace = 'public'::regnamespace and c.contype not in ('p', 'n')
  $$,
  'no constraint but primary keys and not null'
);
select is_empty(
  $$
    select t.tgrelid::regclass, t.tgname
    from pg_trigger as t
    inner join pg_class as c on t.tgrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and t.tgname <> 'truncation_ends_leases'
  $$,
  'no trigger that a write fires'
);

select * from finish();
rollback;
