-- That there is a setting of this name, and that this may be its value; null, the default, may always be.
create or replace function _assert_setting (p_name text, p_value text, p_path text)
returns void
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_known record;
  v_is_good boolean;
begin
  select * into v_known from _known_settings() k where k.name = p_name;
  if v_known.name is null then
    raise exception using errcode = 'WA001',
      message = 'There is no such setting.',
      detail = format('p_name is %s.', coalesce(to_json(left(p_name, 100))::text, 'null')),
      hint = 'One of: ' || (select string_agg(k.name, ', ') from _known_settings() k);
  end if;
  if v_known.kind = 'number' then
    v_is_good := p_value ~ '^[0-9]{1,9}$';
    v_is_good := v_is_good and p_value::integer between v_known.lowest::integer and v_known.highest::integer;
  else
    v_is_good := coalesce(_span(p_value) between _span(v_known.lowest) and _span(v_known.highest), false);
  end if;
  if p_value is not null and not v_is_good then
    raise exception using errcode = 'WA001',
      message = format('%s is a %s from %s to %s.', p_name, case v_known.kind when 'span' then 'time' else 'number' end,
                       v_known.lowest, v_known.highest),
      detail = format('%s is %s.', p_path, to_json(left(p_value, 100))),
      hint = format('Like %L; null for the default.', v_known.default_value);
  end if;
end
$func$;
