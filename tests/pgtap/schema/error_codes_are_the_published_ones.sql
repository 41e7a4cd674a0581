begin;
select plan(1);

select set_eq(
  $$
    select distinct m.code[1]
    from pg_proc as p
    cross join lateral regexp_matches(p.prosrc, 'errcode = ''(\w+)''', 'g') as m (code)
    where p.proowner = 'auth_state_owner'::regrole
  $$,
  array['WA001', 'WA002', 'WA003', 'WA004', 'WA005', 'WA006', '25006', '42501', '54000', '55P03'],
  'six of our own and four of PostgreSQL''s'
);

select * from finish();
rollback;
