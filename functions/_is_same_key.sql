create or replace function _is_same_key (p_one jsonb, p_other jsonb)
returns boolean
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  return p_one = p_other
         or (_buffer(p_one -> 'private') = _buffer(p_other -> 'private')
             and _buffer(p_one -> 'public') = _buffer(p_other -> 'public')) is true;
end
$func$;
