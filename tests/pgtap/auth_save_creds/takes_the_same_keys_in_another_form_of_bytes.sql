-- Creds that another program stored, or that a taken-over table has, come back from a client in the present form.
begin;
\ir ../refuses.psql
select plan(13);

create function pg_temp.creds(p_private text, p_public text, p_own text default '{"type": "Buffer", "data": "+/8="}')
returns jsonb
language sql
return format(
  '{"noiseKey": {"private": %s, "public": %s}, "signedIdentityKey": {"private": %3$s, "public": %3$s}, "account": {}}',
  p_private, p_public, p_own
)::jsonb;

select auth_save_creds(
  'acme', pg_temp.creds('{"type": "Buffer", "data": [1, 2, 3]}', '{"0": 5, "1": 255}', '{"buffer": true, "data": "-_8"}')
);

select lives_ok(
  format($$select auth_save_creds('acme', pg_temp.creds(%L, %L%s))$$, p.private, p.public, ', ' || quote_literal(p.own)), p.form
)
  from (values
    ('{"type": "Buffer", "data": "AQID"}', '{"type": "Buffer", "data": "Bf8="}', '{"type": "Buffer", "data": "+/8="}', 'the present form'),
    ('{"buffer": true, "value": "AQID"}', '{"type": "Buffer", "data": [5, 255]}', '{"0": 251, "1": 255}', 'any other'),
    ('{"type": "Buffer", "data": [1, 2, 3]}', '{"0": 5, "1": 255}', '{"buffer": true, "data": "-_8"}', 'and back')
  ) as p (private, public, own, form);

select pg_temp.refuses(
  format($$select auth_save_creds('acme', pg_temp.creds(%L, %L))$$, p.private, p.public), 'WA005', null, p.what
)
  from (values
    ('{"type": "Buffer", "data": [1, 2, 4]}', '{"0": 5, "1": 255}', 'another byte in a list'),
    ('{"type": "Buffer", "data": "AQID"}', '{"0": 5, "1": 254}', 'another byte by index'),
    ('{"type": "Buffer", "data": "AQID"}', '{"0": 5, "2": 255}', 'a byte at another place'),
    ('{"type": "Buffer", "data": [1, 2, 259]}', '{"0": 5, "1": 255}', 'no byte'),
    ('{"type": "Buffer", "data": [1, 2, null]}', '{"0": 5, "1": 255}', 'null for a byte'),
    ('{"type": "Buffer", "data": "S3CRET?"}', '{"0": 5, "1": 255}', 'no base64'),
    ('{"type": "Buffer", "data": "AQID"}', '"S3CRET"', 'no bytes')
  ) as p (private, public, what);

select is((select count(*)::integer from auth_creds_history('acme')), 3, 'the earlier ones are kept');
select is((select count(distinct identity)::integer from auth_creds_history('acme')), 1, 'and are the same identity');
select is(
  (select count(*) filter (where action = 'creds_new_identity')::integer from auth_list_audit('acme')), 0, 'no change of identity is noted'
);

select * from finish();
rollback;
