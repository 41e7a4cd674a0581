-- The company of a caller who is a tenant: the claim that a proxy (PostgREST) passes on, or what a service
-- session confines itself to. Both can be set by anybody; they are believed because of who logged in.
create or replace function _tenant_company (p_narrowed text)
returns text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_super constant boolean := (select r.rolsuper from pg_roles r where r.rolname = session_user);
  v_claims constant text := nullif(current_setting('request.jwt.claims', true), '');
  v_claim jsonb;
  v_app_claim jsonb;
  v_company text;
begin
  if pg_has_role(session_user, 'auth_state_proxy', 'MEMBER') and not (v_super and v_claims is null) then
    begin
      v_claim := v_claims::jsonb -> 'company_id';
      v_app_claim := v_claims::jsonb #> '{app_metadata,company_id}';
    exception
      -- PostgreSQL would quote the claims.
      when data_exception or program_limit_exceeded or statement_too_complex then
        return '';
    end;
    v_company := coalesce(v_claim, v_app_claim) #>> '{}';
    -- Two claims that differ, or one that is not a string, is no claim.
    if jsonb_typeof(coalesce(v_claim, v_app_claim)) = 'string'
       and coalesce(v_app_claim, v_claim) = coalesce(v_claim, v_app_claim)
       and coalesce(p_narrowed, v_company) = v_company then
      return v_company;
    end if;
  elsif v_super or pg_has_role(session_user, 'auth_state_service', 'USAGE') then
    return coalesce(p_narrowed, '');
  end if;
  return '';
end
$func$;
