-- Whether a message of this level reaches the log or the client.
create or replace function _is_shown (p_level text, p_log_min_messages text, p_client_min_messages text)
returns boolean
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
declare
  v_log constant text[] := array['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'info', 'notice', 'warning', 'error', 'log', 'fatal', 'panic'];
  v_client constant text[] := array['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'log', 'notice', 'warning', 'error'];
begin
  return coalesce(
    p_level = 'info'
    or array_position(v_log, p_level) >= array_position(v_log, p_log_min_messages)
    or array_position(v_client, p_level) >= array_position(v_client, p_client_min_messages),
    true
  );
end
$func$;
