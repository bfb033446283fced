"""What can happen to a payment. Every event carries order_number, payment_id and amount."""

PAYMENT_REQUESTED = "payment.requested"  # key
PAYMENT_AUTHORIZED = "payment.authorized"
PAYMENT_FAILED = "payment.failed"  # error, error_code
PAYMENT_UNKNOWN = "payment.unknown"  # kind: whose answer was lost
PAYMENT_CAPTURE_REQUESTED = "payment.capture_requested"  # key
PAYMENT_CAPTURED = "payment.captured"  # key, captured
PAYMENT_CAPTURE_FAILED = "payment.capture_failed"  # key, error, error_code
PAYMENT_EXPIRED = "payment.expired"  # the authorisation is gone; ask for a new one
PAYMENT_CANCEL_REQUESTED = "payment.cancel_requested"  # key: of the authorisation to call off
PAYMENT_CANCELLED = "payment.cancelled"
PAYMENT_VOID_REQUESTED = "payment.void_requested"  # key
PAYMENT_VOIDED = "payment.voided"
PAYMENT_VOID_FAILED = "payment.void_failed"  # error, error_code
PAYMENT_REFUNDED = "payment.refunded"  # refund_id, refunded

REFUND_REQUESTED = "refund.requested"  # refund_id: above the limit, a second person decides
REFUND_APPROVED = "refund.approved"  # refund_id, key: the provider is asked
REFUND_DECLINED = "refund.declined"  # refund_id, reason
REFUND_FAILED = "refund.failed"  # refund_id, error, error_code
