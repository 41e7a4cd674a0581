begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys(
  'acme',
  '{"lid-mapping": {
    "962301": "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA", "962302": {"enc": "AQID", "iv": "BAUG"},
    "962303": ["AQID"], "962304": 1, "118_reverse": {"enc": "AQID"}
  }, "lid-mapping-reverse": {"118": {"enc": "AQID"}}}'
);
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'their partner cannot be read');
select is((select keys from auth_list_companies()), 6::bigint, 'all are there');

select * from finish();
rollback;
