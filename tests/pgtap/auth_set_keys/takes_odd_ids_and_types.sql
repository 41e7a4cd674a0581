begin;
select plan(3);

create function pg_temp.odd() returns setof text language sql return unnest(array[
  'a''b', 'a"b', 'a\b', '\', '''', '"', e'a\nb', e'\t', ' ', 'a ', '😀', 'é', e'e\u0301', '%', '_', '__', 'a__b', '%s', '$1', '{}', '[]',
  'null', '{"a":1}', '../../etc/passwd', '5511999999999-1600000000@g.us::962302_1::0', 'AAAA/+==', '1.0; drop table whatsapp_keys',
  'A', 'a', e'\u0001', e'\u007f', e'\u2028', '0', '-1', 'constructor', '__proto__'
]);
select set_config('test.odd', jsonb_object_agg(o.id, o.id)::text, true) from pg_temp.odd() as o (id);
set local role app;
select is(
  auth_set_keys('acme', (select jsonb_object_agg(t.type, current_setting('test.odd')::jsonb) from pg_temp.odd() as t (type))),
  (select count(*)::integer ^ 2 from pg_temp.odd())::integer,
  'each id of each type is a key'
);
select is(
  auth_get_keys(
    'acme', (select jsonb_object_agg(t.type, (select jsonb_agg(o.id) from pg_temp.odd() as o (id))) from pg_temp.odd() as t (type))
  )::jsonb,
  (select jsonb_object_agg(t.type, current_setting('test.odd')::jsonb) from pg_temp.odd() as t (type)),
  'of several types, each has its own value'
);
select is_empty(
  $$
    select t.type
    from pg_temp.odd() as t (type)
    where auth_get_keys('acme', t.type, array(select * from pg_temp.odd()))::jsonb <> current_setting('test.odd')::jsonb
  $$,
  'of one type too'
);

select * from finish();
rollback;
