create or replace function auth_get_keys (p_company_id text, p_keys jsonb)
returns json
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
declare
  v_result json;
  v_good boolean;
  v_asked boolean;
begin
  perform _assert_session();
  if getdatabaseencoding() <> 'UTF8' then
    perform _assert_utf8();
  end if;
  if jsonb_typeof(p_keys) is distinct from 'object' then
    perform _assert_key_ids(p_keys);
  end if;
  -- The plan never changes, whatever the statistics said when it was made: a probe of the primary key per id.
  -- json_object_agg appends each value as text: no second tree is built, nothing is parsed again. Who may not see
  -- the company is refused before a row of it is touched: statistics and locks of the session would tell.
  select coalesce(json_object_agg(t.key, coalesce(found.list, '{}')), '{}'),
         coalesce(bool_and(octet_length(t.key) between 1 and 128 and jsonb_typeof(t.value) = 'array'
                           and found.is_good is not false), true),
         bool_or(found.list is not null)
    into v_result, v_good, v_asked
    from jsonb_each(p_keys) t
   cross join lateral (
     select json_object_agg(i.id, stored.value) as list,
            bool_and(i.is_good) as is_good
       from (
         select distinct coalesce(e.id #>> '{}', '') as id,
                jsonb_typeof(e.id) = 'string' and octet_length(e.id #>> '{}') between 1 and 1024 as is_good
           from jsonb_array_elements(case when jsonb_typeof(t.value) = 'array' then t.value else '[]' end) e (id)
       ) i
       left join lateral (
         select k.value
           from whatsapp_keys k
          where k.company_id = (select case when __caller_is_service__ then p_company_id
                                             else (select p_company_id from _assert_company(p_company_id)) end)
            and k.key_type = t.key and k.key_id = i.id
         offset 0
       ) stored on true
   ) found;
  if v_asked is not true or octet_length(p_company_id) between 1 and 256 is not true then
    perform _assert_company(p_company_id);
  end if;
  if not v_good then
    perform _assert_key_ids(p_keys);
  end if;
  return v_result;
end
$func$;

comment on function auth_get_keys (text, jsonb) is $$
Keys of several types in one snapshot: `{"session": ["1.0", "2.0"]}` gives `{"session": {"1.0": {...}, "2.0": null}}`. Every requested id comes back once, null when it is not there. A key past its expiry is readable until cleanup removes it.

- `p_keys`: a JSON object of key types (1 to 128 bytes), each an array of key ids (1 to 1024 bytes). `{}` and `[]` are valid.

Errors: WA001 with the path at fault, 42501. Locks: none; works on a read replica.
$$;

create or replace function auth_get_keys (p_company_id text, p_key_type text, p_key_ids text[])
returns json
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
declare
  v_result json;
  v_value jsonb;
  v_good boolean;
begin
  perform _assert_session();
  if getdatabaseencoding() <> 'UTF8' then
    perform _assert_utf8();
  end if;
  if cardinality(p_key_ids) = 1 and p_key_ids[1] is not null then
    -- Most reads of Baileys are of one id: a plan without join, array and aggregate.
    select k.value
      into v_value
      from whatsapp_keys k
     where k.company_id = (select case when __caller_is_service__ then p_company_id
                                       else (select p_company_id from _assert_company(p_company_id)) end)
       and k.key_type = p_key_type and k.key_id = p_key_ids[1];
    v_result := json_build_object(p_key_ids[1], v_value);
    v_good := octet_length(p_key_ids[1]) between 1 and 1024;
  else
    select json_object_agg(i.id, stored.value), bool_and(octet_length(i.id) between 1 and 1024)
      into v_result, v_good
      from (select distinct coalesce(u.id, '') as id from unnest(p_key_ids) u (id)) i
      left join lateral (
        select k.value
          from whatsapp_keys k
         where k.company_id = (select case when __caller_is_service__ then p_company_id
                                           else (select p_company_id from _assert_company(p_company_id)) end)
           and k.key_type = p_key_type and k.key_id = i.id
        offset 0
      ) stored on true;
  end if;
  -- Where nothing was looked for, nothing was asked yet.
  if p_key_ids is null or p_key_ids = '{}' or octet_length(p_company_id) between 1 and 256 is not true then
    perform _assert_company(p_company_id);
  end if;
  if p_key_ids is null or v_good is false or octet_length(p_key_type) between 1 and 128 is not true then
    perform _assert_key_type(p_key_type);
    raise exception using errcode = 'WA001',
      message = 'Keys are asked for by an array of key ids of 1 to 1024 bytes.',
      detail = coalesce(
        (select format('p_key_ids[%s] is %s.', i.position, coalesce(octet_length(i.id) || ' bytes', 'null'))
           from unnest(p_key_ids) with ordinality i (id, position)
          where octet_length(i.id) between 1 and 1024 is not true
          limit 1), 'p_key_ids is null.'),
      hint = 'Like array[''1.0'', ''2.0''].';
  end if;
  return coalesce(v_result, '{}');
end
$func$;

comment on function auth_get_keys (text, text, text[]) is $$
Keys of one type in one snapshot: `auth_get_keys('962302', 'session', '{1.0,2.0}')` gives `{"1.0": {...}, "2.0": null}`. Every requested id comes back once, null when it is not there.

- `p_key_type`: 1 to 128 bytes.
- `p_key_ids`: key ids of 1 to 1024 bytes, none null. An empty array gives `{}`.

Errors: WA001 with the path at fault, 42501. Locks: none; works on a read replica.
$$;
