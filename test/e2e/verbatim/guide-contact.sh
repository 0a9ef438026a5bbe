curl -X POST $POSTHOUSE_URL/v1/contacts -H "Authorization: Bearer $POSTHOUSE_KEY" -H "Idempotency-Key: $(uuidgen)" -H "Content-Type: application/json" -d '{
"username": "@sarah_miller",
"name": "Sarah Miller",
"email": "sarah@example.com",
"tags": ["trial", "webinar-2026-06"]
}'
