begin;
select plan(2);

set local role app;
select auth_set_keys(o.id, jsonb_build_object('session', jsonb_build_object('1.0', o.id)))
from unnest(array['a''b', 'a"b', 'a\b', 'a%b', 'a_b', 'a__b', e'a\nb', ' ', 'A', 'a', '😀', '../a', '{}', 'null']) as o (id);

select is_empty(
  $$
    select o.id
    from unnest(array['a''b', 'a"b', 'a\b', 'a%b', 'a_b', 'a__b', e'a\nb', ' ', 'A', 'a', '😀', '../a', '{}', 'null']) as o (id)
    where auth_get_keys(o.id, 'session', '{1.0}') ->> '1.0' is distinct from o.id
  $$,
  'each finds its own key'
);
select is((select count(*) from auth_list_companies()), 14::bigint, 'and none is the other');

select * from finish();
rollback;
