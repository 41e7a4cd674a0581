-- Found by make fuzz: an export spelled such a time as one of the year 1, and the second export was another.
begin;
\ir ../refuses.psql
select plan(4);

select pg_temp.refuses($$
  select auth_import('acme', '{"format": 1, "keys": {"session": {"1.0": 1}}, "times": {"session": {"1.0": ["0001-01-01T00:00:00+14:00", null]}}}')
$$, 'WA001', 'p_state["times"]["session"]["1.0"]', 'of a key: in UTC it is the last day of 1 BC');
select pg_temp.refuses($$
  select auth_import('acme', '{"format": 1, "keys": {}, "creds_updated_at": "0001-01-01T00:00:00+00:01"}')
$$, 'WA001', 'p_state["creds_updated_at"]', 'of creds');

select auth_import('acme', '{"format": 1, "keys": {"session": {"1.0": 1}}, "times": {"session": {"1.0": ["0001-01-01T00:00:00Z", null]}}}');
select is(
  auth_export('acme') #>> '{times,session,1.0,0}', '0001-01-01T00:00:00.000000Z', 'the first instant of the year 1 is kept'
);
select auth_import('globex', auth_export('acme'));
select is(auth_export('globex'), auth_export('acme'), 'and a second export is equal');

select * from finish();
rollback;
