curl -X POST \
$POSTHOUSE_URL/v1/messages/send \
-H "Authorization: Bearer $POSTHOUSE_KEY" \
-H "Idempotency-Key: 9d2c-44e1" \
-H "Content-Type: application/json" \
-d '{
"account_id": 7421,
"to": "@sarah_miller",
"text": "Hey {first_name}, your invite is ready"
}'
