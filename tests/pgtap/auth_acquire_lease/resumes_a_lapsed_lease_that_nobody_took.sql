begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select set_config('auth_state.now', '2026-03-01 13:00:00Z', true);
select set_config('test.resumed', l.token::text, true)
from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.token')::bigint) as l
where l.acquired and l.expires_at = '2026-03-01 13:01:00Z';
select cmp_ok(current_setting('test.resumed')::bigint, '>', current_setting('test.token')::bigint, 'by a greater token');
select lives_ok(format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.resumed')), 'which is good');

select * from finish();
rollback;
