create or replace function _assert_utf8 ()
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $func$
begin
  if getdatabaseencoding() <> 'UTF8' then
    raise exception using errcode = 'WA006',
      message = format('This database is %s, and WhatsApp names need UTF8.', getdatabaseencoding()),
      detail = 'Names with letters that the encoding lacks could be neither stored nor read.',
      hint = 'Restore into another one: create database ... encoding ''UTF8'' template template0';
  end if;
end
$func$;
