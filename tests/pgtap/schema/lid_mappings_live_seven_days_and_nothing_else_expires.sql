begin;
select plan(1);

select results_eq(
  'select key_type, ttl from whatsapp_key_ttl order by key_type',
  $$values ('lid-mapping' collate "C", interval '7 days'), ('lid-mapping-reverse', '7 days')$$,
  'the ttls of a fresh install'
);

select * from finish();
rollback;
