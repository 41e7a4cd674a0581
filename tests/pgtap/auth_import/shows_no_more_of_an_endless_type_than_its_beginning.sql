begin;
select plan(1);

set local role app;
create function pg_temp.detail() returns text language plpgsql as $$
declare
  v_detail text;
begin
  perform auth_import(
    'acme', jsonb_build_object('format', 1, 'keys', jsonb_build_object(repeat('x', 1000000), '{"1": null}'::jsonb))
  );
  return null;
exception
  when others then
    get stacked diagnostics v_detail = pg_exception_detail;
    return v_detail;
end
$$;
select cmp_ok(length(pg_temp.detail()), '<', 300, 'a megabyte of type does not go into the log');

select * from finish();
rollback;
