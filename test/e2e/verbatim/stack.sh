curl -X POST $POSTHOUSE_URL/v1/messages/send \
-H "Authorization: Bearer $POSTHOUSE_KEY" \
-H "Idempotency-Key: $(uuidgen)" \
-H "Content-Type: application/json" \
-d '{"account_id":7421,"to":"@sarah_miller","text":"Welcome aboard"}'
