-- Compatible with: clients and functions of 001. Adds tables, and a column with a default.
do $taken$
declare
  v_name text;
begin
  select string_agg(c.relname, ', ' order by c.relname)
    into v_name
    from pg_class c
   where c.relnamespace = quote_ident(current_schema())::regnamespace
     and c.relname in ('whatsapp_auth_history', 'whatsapp_audit', 'whatsapp_tenant_roles');
  if v_name is not null then
    raise exception using errcode = 'WA006',
      message = format('These are in the way, and are not ours: %s.', v_name),
      detail = 'History, audit log and bindings are written by the functions alone: what somebody else wrote is not believed.',
      hint = 'Drop or rename them, then install again.';
  end if;
end
$taken$;

create table whatsapp_auth_history (
  company_id text collate "C" not null,
  version bigint not null,
  creds jsonb not null,
  saved_at timestamptz not null,
  replaced_at timestamptz not null,
  ends_identity boolean not null,
  constraint whatsapp_auth_history_pkey primary key (company_id, version)
);

create index whatsapp_auth_history_replaced_at_idx on whatsapp_auth_history (replaced_at) where ends_identity;

create table whatsapp_audit (
  company_id text collate "C" not null,
  at timestamptz not null,
  audit_id bigint generated always as identity,
  action text not null,
  login name not null,
  role name not null,
  application_name text,
  holder text,
  rows bigint,
  details jsonb,
  constraint whatsapp_audit_pkey primary key (company_id, at, audit_id)
);

create index whatsapp_audit_at_idx on whatsapp_audit (at);

create table whatsapp_tenant_roles (
  role_name name not null,
  company_id text collate "C" not null,
  constraint whatsapp_tenant_roles_pkey primary key (role_name)
);

do $compression$
begin
  alter table whatsapp_auth_history alter column creds set compression lz4;
exception
  when feature_not_supported then
    null;
end
$compression$;

-- A restore of an old dump writes into another table: the leases it brings are none, or a token that was
-- stolen after the dump would come back.
alter table whatsapp_leases add column kept_in oid;
update whatsapp_leases l
   set kept_in = l.tableoid
 where true;
alter table whatsapp_leases
  alter column kept_in set default 'whatsapp_leases'::regclass::oid,
  alter column kept_in set not null;
