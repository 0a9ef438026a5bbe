-- One send as Posthouse writes it: the same statements, one transaction, values of the same sizes.
\set n random(1, 1000000000000)
begin;
select * from idempotency where env_id = 2 and operation = 'messages.send' and key = (:n)::text;
select * from accounts where env_id = 2 and id = 7421;
insert into messages (env_id, id, channel, account_id, direction, recipient, contact_id, thread_id, text, status, eta, schedule_at, expires_at, silent, reply_to, metadata, error_code, error_message, error_link, last_error, attempts, remote_id, cap_day, created_at, sent_at, delivered_at, read_at, updated_at)
  values (2, 'msg_01HKQ9R2X3' || lpad((:n)::text, 16, '0'), 'sandbox', 7421, 'out', '@reader_1', null, null, 'Hey {first_name}, your invite is ready', 'queued', 1763718000000, null, null, 0, null, '{}', null, null, null, null, '[]', null, null, 1763718000000, null, null, null, 1763718000000);
insert into jobs (env_id, id, kind, lane, chat, run_at, running, attempts, payload, eta, lease_until)
  values (2, 'msg_01HKQ9R2X3' || lpad((:n)::text, 16, '0'), 'messages.send', 'account:7421', '@reader_1', 1763718000000, 0, 0, 'sandbox', 1763718000000, null);
insert into events (env_id, id, type, subject, actor, data, created_at)
  values (2, 'evt_01HKQ9R2X3' || lpad((:n)::text, 16, '0'), 'message.queued', 'msg_01HKQ9R2X30000000000000000', 'key_01HKQ9R2X30000000000000000', (:data)::text, 1763718000000);
insert into idempotency (env_id, operation, key, fingerprint, status, body, sealed, created_at, expires_at)
  values (2, 'messages.send', (:n)::text, '0123456789012345678901234567890123456789012', 200, (:answer)::text, 0, 1763718000000, null);
commit;
