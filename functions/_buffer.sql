-- The bytes of a Buffer in any form that a version of Baileys or a plain JSON.stringify wrote, as the base64 of the
-- present form; null if it is none. Two spellings of one key are one identity.
create or replace function _buffer (p_value jsonb)
returns text
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_data jsonb;
  v_base64 text;
  v_bytes bytea;
begin
  if jsonb_typeof(p_value) is distinct from 'object' then
    return null;
  end if;
  if p_value ->> 'type' = 'Buffer' or p_value -> 'buffer' = 'true' then
    v_data := coalesce(p_value -> 'data', p_value -> 'value');
  else
    select jsonb_agg(p_value -> (n - 1)::text order by n)
      into v_data
      from generate_series(1, (select count(*) from jsonb_object_keys(p_value))) n;
  end if;
  if jsonb_typeof(v_data) = 'string' then
    v_base64 := translate(rtrim(v_data #>> '{}', '='), '-_', '+/');
    v_bytes := decode(rpad(v_base64, (length(v_base64) + 3) / 4 * 4, '='), 'base64');
  elsif jsonb_typeof(v_data) = 'array' then
    select case when coalesce(bool_and(coalesce(n::integer between 0 and 255, false)), true)
                then decode(coalesce(string_agg(lpad(to_hex(n::integer), 2, '0'), '' order by place), ''), 'hex') end
      into v_bytes
      from jsonb_array_elements_text(v_data) with ordinality e (n, place);
  end if;
  return replace(encode(v_bytes, 'base64'), chr(10), '');
exception
  when data_exception then
    return null;
end
$func$;
