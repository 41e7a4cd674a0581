-- Functions of an earlier version that this one no longer has: their rows are older than this transaction. Last, when no
-- policy and no function uses them any more, and all at once, since they may use each other.
do $install$
declare
  v_functions text;
  v_detail text;
begin
  select string_agg(p.oid::regprocedure::text, ', ')
    into v_functions
    from pg_proc p
   where p.pronamespace = quote_ident(current_schema())::regnamespace
     and pg_get_userbyid(p.proowner) = 'auth_state_owner'
     and age(p.xmin) > age(pg_current_xact_id()::xid);
  if v_functions is not null then
    execute 'drop routine ' || v_functions;
  end if;
exception
  when dependent_objects_still_exist then
    get stacked diagnostics v_detail = pg_exception_detail;
    raise exception using errcode = 'WA006',
      message = 'A function that this version no longer has is still used.',
      detail = v_detail,
      hint = 'Drop what uses it, then install again.';
end
$install$;
