begin;
\ir ../refuses.psql
select plan(3);

select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '1 hour') as l;
-- What a restore does: another transaction writes the row as it was.
update whatsapp_leases set written_by = (written_by::text::bigint - 1)::text::xid;
set local role app;
select pg_temp.refuses(
  format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.token')), 'WA002',
  'was restored here: what was written last may be missing', 'its token is over'
);
select lives_ok($$select auth_set_keys('acme', '{}')$$, 'it keeps nobody out');
select ok(
  (select l.token > current_setting('test.token')::bigint from auth_acquire_lease('acme', 'worker-2') as l), 'the next token is greater'
);

select * from finish();
rollback;
