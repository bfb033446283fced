"""What can happen to messages; no event carries a contact or the words."""

MESSAGE_QUEUED = "message.queued"  # template, about, order_number
MESSAGE_SUPPRESSED = "message.suppressed"  # template, about, order_number, reason
MESSAGE_SENT = "message.sent"  # template, about, order_number
MESSAGE_FAILED = "message.failed"  # template, about, order_number, error
TEMPLATE_SAVED = "template.saved"  # code, locale, number
