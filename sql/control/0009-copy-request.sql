-- Counts how often a copy was asked for (onetimecopy), so that one that is asked for while another is made is not taken for it.
alter table bucardo.sync add column copy_request integer not null default 0;

create function bucardo.copy_asked() returns trigger language plpgsql as $$
begin
  new.copy_request := old.copy_request + 1;
  return new;
end $$;
create trigger copy_asked before update of onetimecopy on bucardo.sync
  for each row when (old.onetimecopy is distinct from new.onetimecopy and new.onetimecopy <> 0) execute procedure bucardo.copy_asked();

-- Whoever asks, asks for a copy of every target.
drop trigger onetimecopy_set on bucardo.sync;
create trigger onetimecopy_set after update on bucardo.sync
  for each row when (old.onetimecopy is distinct from new.onetimecopy or old.copy_request <> new.copy_request)
  execute procedure bucardo.onetimecopy_set();
