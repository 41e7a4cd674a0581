begin;
-- A tenant could fill the log: 1.7 MB by one statement, kept for 90 days.
select plan(5);

create role bound_bot login;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_bind_role('bound_bot', 'acme');
set local role bound_bot;
select count(l.token)
from generate_series(1, 1000) as i
cross join auth_acquire_lease('acme', 'worker-' || i, p_steal => true) as l;
select count(auth_release_lease('acme', l.token))
from generate_series(1, 1000) as i
cross join auth_acquire_lease('acme', 'holder-' || i, p_steal => true) as l;
reset role;
select results_eq(
  $$
    select a.action, count(*) from auth_list_audit('acme', p_limit => 10000) as a where a.action like 'lease%'
    group by 1 order by 1
  $$,
  $$values ('lease_acquired', 100::bigint), ('lease_released', 100::bigint), ('lease_stolen', 100::bigint)$$,
  'of each action 100 rows'
);
select results_eq(
  $$
    select a.action, sum((a.details ->> 'repeated')::integer)
    from auth_list_audit('acme', p_limit => 10000) as a where a.action like 'lease%'
    group by 1 order by 1
  $$,
  $$values ('lease_acquired', 900::bigint), ('lease_released', 900::bigint), ('lease_stolen', 900::bigint)$$,
  'the others are counted'
);
select is(
  (select count(a.details -> 'repeated') from auth_list_audit('acme', p_limit => 10000) as a), 3::bigint, 'in the last row of each'
);
select set_config('auth_state.now', '2026-03-01 13:00:00Z', true);
set local role bound_bot;
select * from auth_acquire_lease('acme', 'late', p_steal => true);
reset role;
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
set local role bound_bot;
select * from auth_acquire_lease('acme', 'next day', p_steal => true);
reset role;
select is(
  (select max(a.details ->> 'until') from auth_list_audit('acme', p_limit => 10000) as a),
  '2026-03-01T13:00:00.000000Z', 'until when'
);
select is(
  (select a.holder from auth_list_audit('acme', p_limit => 1) as a), 'next day', 'a day later there is room again'
);

select * from finish();
rollback;
