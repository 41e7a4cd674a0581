-- Compatible with: clients of 001 and 002; the functions of 002 cannot be put back over it.
do $taken$
begin
  if to_regclass(format('%I.whatsapp_settings', current_schema())) is not null then
    raise exception using errcode = 'WA006',
      message = 'This is in the way, and is not ours: whatsapp_settings.',
      detail = 'Settings are written by auth_configure alone.',
      hint = 'Drop or rename it, then install again.';
  end if;
end
$taken$;

create table whatsapp_settings (
  name text collate "C" not null,
  value text not null,
  constraint whatsapp_settings_pkey primary key (name)
);

alter table whatsapp_audit add column on_behalf_of text;

-- What tells a lease of this server from one that a dump, a copy or a failover brought: _server_history, _is_live.
alter table whatsapp_leases
  add column given_in text,
  add column written_by xid,
  add column retake_after timestamptz;

do $leases$
declare
  v_timeline text;
  v_system text;
begin
  begin
    v_timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
  exception
    when others then
      v_timeline := 'unknown';
  end;
  begin
    select c.system_identifier::text into v_system from pg_control_system() c;
  exception
    when others then
      v_system := 'unknown';
  end;
  -- Those that live go on.
  update whatsapp_leases l
     set given_in = concat_ws(' ', v_timeline, v_system, current_setting('port'), split_part(pg_relation_filepath('pg_class'), '/', -2))
   where l.kept_in = l.tableoid;
  update whatsapp_leases l
     set written_by = l.xmin
   where l.given_in is not null;
end
$leases$;

alter table whatsapp_leases drop column kept_in;

do $settings$
declare
  v_detail text;
begin
  -- It answers a column more, and a function cannot be replaced by one that answers something else.
  if to_regprocedure('auth_list_audit(text, timestamptz, integer)') is not null then
    drop function auth_list_audit (text, timestamptz, integer);
  end if;
  -- sql/920 asks for it.
  perform set_config('auth_state.moves_settings', 'yes', true);
exception
  when dependent_objects_still_exist then
    get stacked diagnostics v_detail = pg_exception_detail;
    raise exception using errcode = 'WA006',
      message = 'auth_list_audit answers a column more now, and something of yours uses it as it was.',
      detail = v_detail,
      hint = 'Drop it, install again, then make it anew.';
end
$settings$;
