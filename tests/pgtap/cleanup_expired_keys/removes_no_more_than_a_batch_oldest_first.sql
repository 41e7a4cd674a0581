begin;
select plan(5);

set local role app;
select auth_set_ttl('device-list', '30 days');
select auth_import(
  'acme',
  '{"format": 1, "keys": {"device-list": {"1": 1, "2": 1, "3": 1, "4": 1, "5": 1}}, "times": {"device-list": {
    "3": ["2026-03-01T12:00:00Z"], "1": ["2026-03-02T12:00:00Z"], "5": ["2026-03-03T12:00:00Z"], "2": ["2026-03-04T12:00:00Z"],
    "4": ["2026-03-05T12:00:00Z"]
  }}}'
);
select set_config('auth_state.now', '2026-06-01 12:00:00Z', true);

select is(cleanup_expired_keys(2), 2::bigint, 'a batch');
select results_eq($$select key_id from auth_list_keys('acme', 'device-list')$$, array['2', '4', '5'], 'the oldest are gone');
select is(cleanup_expired_keys(2), 2::bigint, 'another');
select is(cleanup_expired_keys(2), 1::bigint, 'the rest');
select is(cleanup_expired_keys(2), 0::bigint, 'nothing is left');

select * from finish();
rollback;
