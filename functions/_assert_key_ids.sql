-- For reads: the array is good when this answers; called only when the read has seen a bad element.
create or replace function _assert_key_ids (p_keys jsonb)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
declare
  v_path text := 'p_keys';
  v_fault text;
begin
  if p_keys is null then
    v_fault := 'is null';
  elsif jsonb_typeof(p_keys) <> 'object' then
    v_fault := 'is a JSON ' || jsonb_typeof(p_keys);
  else
    select 'p_keys' || f.path, f.fault
      into v_path, v_fault
      from jsonb_each(p_keys) t
     cross join lateral (
       select format('[%s]', to_json(left(t.key, 100))) as path,
              case when octet_length(t.key) not between 1 and 128
                   then format('is a key type of %s bytes', octet_length(t.key))
                   else 'is a JSON ' || jsonb_typeof(t.value) end as fault
        where octet_length(t.key) not between 1 and 128 or jsonb_typeof(t.value) <> 'array'
       union all
       select format('[%s][%s]', to_json(left(t.key, 100)), i.position - 1),
              case when jsonb_typeof(i.id) = 'string' then format('is a key id of %s bytes', octet_length(i.id #>> '{}'))
                   else 'is a JSON ' || jsonb_typeof(i.id) end
         from jsonb_array_elements(case when jsonb_typeof(t.value) = 'array' then t.value else '[]' end)
              with ordinality i (id, position)
        where jsonb_typeof(i.id) <> 'string' or octet_length(i.id #>> '{}') not between 1 and 1024
     ) f
     limit 1;
  end if;
  if v_fault is not null then
    raise exception using errcode = 'WA001',
      message = 'Keys are asked for by a JSON object of key types, each an array of key ids.',
      detail = format('%s %s.', v_path, v_fault),
      hint = 'Like {"session": ["1.0", "2.0"]}; types have 1 to 128 bytes, ids 1 to 1024.';
  end if;
end
$func$;
