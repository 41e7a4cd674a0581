-- {type: {id: value}}, nothing else; the first fault is named by its path, never by its value.
create or replace function _assert_batch (p_data jsonb, p_path text)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
declare
  v_path text := p_path;
  v_fault text;
begin
  if p_data is null then
    v_fault := 'is null';
  elsif jsonb_typeof(p_data) <> 'object' then
    v_fault := 'is a JSON ' || jsonb_typeof(p_data);
  else
    select p_path || f.path, f.fault
      into v_path, v_fault
      from jsonb_each(p_data) t
     cross join lateral (
       select format('[%s]', to_json(left(t.key, 100))) as path,
              case when octet_length(t.key) not between 1 and 128
                   then format('is a key type of %s bytes', octet_length(t.key))
                   else 'is a JSON ' || jsonb_typeof(t.value) end as fault
        where octet_length(t.key) not between 1 and 128 or jsonb_typeof(t.value) <> 'object'
       union all
       select format('[%s][%s]', to_json(left(t.key, 100)), to_json(left(i.id, 100))),
              format('is a key id of %s bytes', octet_length(i.id))
         from jsonb_object_keys(case when jsonb_typeof(t.value) = 'object' then t.value else '{}' end) i (id)
        where octet_length(i.id) not between 1 and 1024
     ) f
     limit 1;
  end if;
  if v_fault is not null then
    raise exception using errcode = 'WA001',
      message = 'A batch is a JSON object of key types, each an object of key ids and values.',
      detail = format('%s %s.', v_path, v_fault),
      hint = 'Like {"session": {"1.0": {...}}, "pre-key": {"7": null}}; types have 1 to 128 bytes, ids 1 to 1024.';
  end if;
end
$func$;
