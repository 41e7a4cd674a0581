begin;
select plan(2);

insert into whatsapp_auth values ('acme', '{}', 1, now(), now());
set local role app;
select cmp_ok(auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}'), '>', 1::bigint, 'they are nobody''s');
select is(auth_get_creds('acme') ->> 'noiseKey', 'n', 'the account is usable again');

select * from finish();
rollback;
