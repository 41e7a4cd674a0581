-- Of settings with which PostgreSQL 15 to 18, auto_explain or pgaudit print parameters or values, into the log or to
-- the client. tests/test_status_warnings.py holds it against real logs.
create or replace function _warn_of_printed_values ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  -- On 15 auto_explain knows no parameters.
  v_explains_parameters constant boolean := current_setting('server_version_num')::integer >= 160000;
  v_settings constant jsonb := jsonb_build_object(
    'client_min_messages', array['notice', 'notice'],
    'debug_print_plan', array['off', 'on'],
    'log_destination', array['stderr', 'stderr'],
    'log_error_verbosity', array['default', 'default'],
    'log_min_duration_sample', array['-1', '0'],
    'log_min_duration_statement', array['-1', '0'],
    'log_min_messages', array['warning', 'warning'],
    'log_parameter_max_length', array['-1', '-1'],
    'log_parameter_max_length_on_error', array['0', '-1'],
    'log_statement', array['none', 'all'],
    'log_statement_sample_rate', array['1', '1'],
    'log_transaction_sample_rate', array['0', '1'],
    'auto_explain.log_level', array['log', 'log'],
    'auto_explain.log_min_duration', array['-1', '0'],
    'auto_explain.log_parameter_max_length', array['-1', '-1'],
    'auto_explain.log_verbose', array['off', 'on'],
    'auto_explain.sample_rate', array['1', '1'],
    'pgaudit.log', array['none', 'all'],
    'pgaudit.log_client', array['off', 'off'],
    'pgaudit.log_level', array['log', 'log'],
    'pgaudit.log_parameter', array['off', 'on'],
    'pgaudit.log_statement', array['on', 'on'],
    'pgaudit.role', array['', '']
  );
begin
  return query
  select distinct
         format('%s %s %s, creds among them, because of %s: %s %s = %s',
                rule.who,
                case when exists (select from unnest(rule.settings) n (name) where (s.is_hidden ->> n.name)::boolean) then 'may print' else 'prints' end,
                rule.what,
                (select string_agg(s.reason ->> n.name, ' and ' order by n.position)
                   from unnest(rule.settings) with ordinality n (name, position)),
                s.way_out ->> rule.stopped_by, rule.stopped_by, rule.quiet)
    from _list_session_settings(v_settings) s
   -- Text that a level lets through; terse leaves DETAIL out of it, except in the structured logs.
   cross join lateral (
     select _is_shown('log', s.value ->> 'log_min_messages', s.value ->> 'client_min_messages') as message,
            _is_shown('log',
                      case when s.value ->> 'log_error_verbosity' = 'terse' and s.value ->> 'log_destination' !~ 'csvlog|jsonlog' then 'panic'
                           else s.value ->> 'log_min_messages'
                      end,
                      s.value ->> 'client_min_messages') as detail,
            _is_shown(s.value ->> 'auto_explain.log_level', s.value ->> 'log_min_messages', s.value ->> 'client_min_messages') as plan,
            case when s.value ->> 'pgaudit.log_client' in ('on', '1')
                 then _is_shown(s.value ->> 'pgaudit.log_level', s.value ->> 'log_min_messages', s.value ->> 'client_min_messages')
                 else _is_shown('log', s.value ->> 'log_min_messages', 'error')
            end as audit,
            s.value ->> 'auto_explain.log_min_duration' <> '-1' and s.value ->> 'auto_explain.sample_rate' <> '0' as explains,
            s.value ->> 'pgaudit.log_parameter' in ('on', '1') and s.value ->> 'pgaudit.log_statement' in ('on', '1') as audits,
            -- pgaudit is silent on what a function does with the rights of somebody whom the login may not become.
            s.login is null or pg_has_role(s.login, 'auth_state_owner', 'MEMBER') as audits_functions,
            'auto_explain' || case when exists (select from pg_settings g where g.name = 'auto_explain.log_verbose') then ''
                                   else ', where it is loaded,' end as auto_explain,
            'pgaudit' || case when exists (select from pg_settings g where g.name = 'pgaudit.log') then ''
                              else ', where it is loaded,' end as pgaudit
   ) is_on
   -- The last word on a class counts.
   cross join lateral (
     select (array_agg(c.word not like '-%' order by c.position desc) filter (where c.word in ('all', '-all', 'read', '-read')))[1] as reads,
            (array_agg(c.word not like '-%' order by c.position desc) filter (where c.word in ('all', '-all', 'write', '-write')))[1] as writes
       from regexp_split_to_table(translate(s.value ->> 'pgaudit.log', '" ', ''), ',') with ordinality c (word, position)
   ) class
   cross join lateral (
     values
       ('PostgreSQL', 'parameters of statements', array['log_statement'], 'log_parameter_max_length', '0',
        is_on.detail and s.value ->> 'log_statement' = 'all' and s.value ->> 'log_parameter_max_length' <> '0'),
       ('PostgreSQL', 'parameters of statements', array['log_min_duration_statement'], 'log_parameter_max_length', '0',
        is_on.detail and s.value ->> 'log_min_duration_statement' <> '-1' and s.value ->> 'log_parameter_max_length' <> '0'),
       ('PostgreSQL', 'parameters of statements', array['log_min_duration_sample'], 'log_parameter_max_length', '0',
        is_on.detail and s.value ->> 'log_min_duration_sample' <> '-1' and s.value ->> 'log_statement_sample_rate' <> '0'
        and s.value ->> 'log_parameter_max_length' <> '0'),
       ('PostgreSQL', 'parameters of statements', array['log_transaction_sample_rate'], 'log_parameter_max_length', '0',
        is_on.detail and s.value ->> 'log_transaction_sample_rate' <> '0' and s.value ->> 'log_parameter_max_length' <> '0'),
       -- The client gets these even where the log does not.
       ('PostgreSQL', 'parameters with errors', array['log_parameter_max_length_on_error'], 'log_parameter_max_length_on_error', '0',
        s.value ->> 'log_parameter_max_length_on_error' <> '0'),
       ('PostgreSQL', 'values as decimal bytes', array['debug_print_plan'], 'debug_print_plan', 'off',
        is_on.detail and s.value ->> 'debug_print_plan' in ('on', '1')),
       (is_on.auto_explain, 'parameters of statements', array['auto_explain.log_min_duration'], 'auto_explain.log_parameter_max_length', '0',
        v_explains_parameters and is_on.plan and is_on.explains and s.value ->> 'auto_explain.log_parameter_max_length' <> '0'),
       (is_on.auto_explain, 'values in plans', array['auto_explain.log_min_duration', 'auto_explain.log_verbose'], 'auto_explain.log_verbose', 'off',
        is_on.plan and is_on.explains and s.value ->> 'auto_explain.log_verbose' in ('on', '1')),
       (is_on.pgaudit, 'parameters of statements', array['pgaudit.log', 'pgaudit.log_parameter'], 'pgaudit.log_parameter', 'off',
        is_on.audit and is_on.audits and (class.reads or (class.writes and is_on.audits_functions))),
       (is_on.pgaudit, 'parameters of statements', array['pgaudit.role', 'pgaudit.log_parameter'], 'pgaudit.log_parameter', 'off',
        is_on.audit and is_on.audits and is_on.audits_functions
        and exists (
          select
            from pg_roles auditor
           cross join pg_class c
           cross join lateral (
             select * from aclexplode(c.relacl)
              union all
             select x.* from pg_attribute a cross join aclexplode(a.attacl) x where a.attrelid = c.oid
           ) g
           where lower(auditor.rolname) = s.value ->> 'pgaudit.role'
             and c.relnamespace = quote_ident(current_schema())::regnamespace
             and c.relname in (@tables@)
             and g.grantee <> 0 and g.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
             and pg_has_role(auditor.oid, g.grantee, 'USAGE')
        ))
   ) rule (who, what, settings, stopped_by, quiet, is_printing)
   where rule.is_printing
   order by 1;
end
$func$;
