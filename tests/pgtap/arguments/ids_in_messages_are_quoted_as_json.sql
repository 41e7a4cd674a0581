begin;
select plan(1);

set local role app;
select throws_like(
  $$select auth_export(e'a"b\nc')$$, '%"a\\"b\\nc"%', 'an odd id cannot break a line of the log'
);

select * from finish();
rollback;
