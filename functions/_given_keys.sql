-- The keys of a state that is imported, with the times they bring; without one, or with one to come, as of now.
create or replace function _given_keys (p_state jsonb, p_now timestamptz)
returns table (key_type text, key_id text, value jsonb, updated_at timestamptz, expires_at timestamptz)
language sql
stable
parallel restricted
begin atomic
  select t.key, e.key, e.value, at.updated_at, at.updated_at + l.ttl
    from jsonb_each(p_state -> 'keys') t
    left join whatsapp_key_ttl l on l.key_type = t.key
   cross join lateral jsonb_each(t.value) e
   cross join lateral (
     select least(coalesce((p_state #>> array['times', t.key, e.key, '0'])::timestamptz, p_now), p_now) as updated_at
     offset 0
   ) at;
end;
