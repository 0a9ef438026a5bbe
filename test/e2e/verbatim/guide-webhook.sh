curl -X POST $POSTHOUSE_URL/v1/webhooks -H "Authorization: Bearer $POSTHOUSE_KEY" -H "Content-Type: application/json" -d '{
"url": "https://your-app.example.com/webhooks/crm",
"events": [
"message.received",
"lead.scored",
"sequence.completed",
"contact.created"
],
"secret": "your-chosen-signing-secret"
}'
