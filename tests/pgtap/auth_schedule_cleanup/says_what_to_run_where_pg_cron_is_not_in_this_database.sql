begin;
\ir ../refuses.psql
select plan(2);

select pg_temp.refuses('select auth_schedule_cleanup()', 'WA006', null, 'it cannot be done from here');

create function pg_temp.hint() returns text language plpgsql as $$
declare
  v_hint text;
begin
  perform auth_schedule_cleanup('*/5 * * * *');
  return null;
exception
  when others then
    get stacked diagnostics v_hint = pg_exception_hint;
    return v_hint;
end
$$;
-- The servers of PostgreSQL 15 have pg_cron, in another database; those of 18 have none.
select matches(
  pg_temp.hint(),
  case
    when current_setting('cron.database_name', true) is null then 'public\.cleanup_expired_keys\(\)'
    else
      '^select cron\.schedule_in_database\(.*''cleanup-whatsapp-keys''\), ''\*/5 \* \* \* \*'', ''.*public\.cleanup_expired_keys\(\).*'', '
      || quote_literal(current_database()) || '\) where not exists '
  end,
  'the hint is the exact statement to run there'
);

select * from finish();
rollback;
