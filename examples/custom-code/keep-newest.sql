-- On every database of the sync. The two tables at the end take what loses; they are no part of the sync.
create table employee (
  id      integer primary key,
  email   text not null unique,
  name    text,
  changed timestamptz not null default now()
);
create table supplies (
  id       integer primary key,
  employee integer not null references employee,
  item     text not null
);
create table employee_lost (like employee, lost_at timestamptz default now());
create table supplies_lost (like supplies, lost_at timestamptz default now());
