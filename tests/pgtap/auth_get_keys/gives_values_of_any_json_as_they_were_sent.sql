begin;
select plan(1);

set local role app;
select auth_set_keys(
  'acme',
  '{"future-type": {
    "string": "8BMR", "number": 1.50, "big": 123456789012345678901234567890, "true": true, "false": false, "zero": 0, "empty": "",
    "list": ["0", "12", null], "object": {"type": "Buffer", "data": "AQID"}, "no member": {}, "no element": []
  }}'
);
select is(
  auth_get_keys(
    'acme', 'future-type',
    '{string,number,big,true,false,zero,empty,list,object,no member,no element}'
  )::jsonb::text,
  '{"big": 123456789012345678901234567890, "list": ["0", "12", null], "true": true, "zero": 0, "empty": "", "false": false, '
  '"number": 1.50, "object": {"data": "AQID", "type": "Buffer"}, "string": "8BMR", "no member": {}, "no element": []}',
  'no Buffer is re-encoded, and false, 0, "", {} and [] are not null'
);

select * from finish();
rollback;
