"""What can happen here. Every event carries subject and order_number."""

ASSESSMENT_REQUESTED = "assessment.requested"  # assessment_id
ASSESSMENT_DECIDED = "assessment.decided"  # level, score, recommendation
FRAUD_CASE_OPENED = "fraud_case.opened"
FRAUD_CASE_CLAIMED = "fraud_case.claimed"
FRAUD_CASE_APPROVED = "fraud_case.approved"  # reason
FRAUD_CASE_REJECTED = "fraud_case.rejected"  # reason
FRAUD_RULE_CHANGED = "fraud_rule.changed"  # old and new of each field
