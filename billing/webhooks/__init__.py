"""The outbox, and webhooks signed as the Standard Webhooks specification has it (standardwebhooks.com, version 1.0.0).

outbox          `emit`: an event, written with the change that it tells of or not at all
fan_out         from an event to a delivery for each endpoint that wants it
claims          deliveries that are due, each taken by one worker at a time
sending         signing and posting them, outside of any transaction
outcomes        what came of it: delivered, due again, failed, or an endpoint switched off
schedule        when the next attempt is
endpoints       actions on a tenant's endpoints; `replaying`: on deliveries
"""
