#!/bin/sh
# Runs once, when the database server's volume is new: two databases, each with an owner of its own.
# `civitas` may make roles, since every tenant gets a reader and a writer; it is no superuser.
set -eu
psql --quiet --set=ON_ERROR_STOP=1 --username=postgres \
  --set=civitas_password="$CIVITAS_PG_PASSWORD" --set=dagster_password="$DAGSTER_PG_PASSWORD" <<'SQL'
create role civitas login createrole password :'civitas_password';
create role dagster login password :'dagster_password';
create database civitas owner civitas;
create database dagster owner dagster;
revoke all on database civitas, dagster from public;
\connect civitas
create extension if not exists postgis;
revoke create on schema public from public;
SQL
