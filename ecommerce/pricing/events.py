"""What can happen to prices and taxes, and the facts that each event carries."""

TAX_RATE_SET = "tax_rate.set"  # country, region, tax_class, rate, valid_from
