-- The primary key holds company, type and id: together they must fit into an index row.
begin;
select plan(2);

create function pg_temp.noise(p_bytes integer) returns text language sql
return (select left(string_agg(md5(i::text), ''), p_bytes) from generate_series(1, 40) as i);
select is(
  auth_set_keys(pg_temp.noise(256), jsonb_build_object(pg_temp.noise(128), jsonb_build_object(pg_temp.noise(1024), 1))), 1, '1408 bytes'
);
select is(
  auth_get_keys(pg_temp.noise(256), pg_temp.noise(128), array[pg_temp.noise(1024)])::jsonb, jsonb_build_object(pg_temp.noise(1024), 1),
  'are found again'
);

select * from finish();
rollback;
